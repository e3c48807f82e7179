package io.guimo.inference.generate;

/**
 * What a scheduler holds and what it has done since it was opened. Counters only grow.
 *
 * @param running sequences in work
 * @param waiting sequences whose turn has not come, those set back included
 * @param prefixTokens positions kept of sequences that have ended
 * @param cellsUsed positions that take room, shared ones counted once where the backend can tell
 * @param cells positions that there is room for
 * @param outputTokensPerSecond of all sequences together while steps were under way, the last seconds weighing most
 * @param steps batches evaluated
 * @param ended sequences that ran and ended, for whatever reason
 * @param setBack how often a running sequence was set back to make room for an earlier one
 * @param inputTokens of prompts, evaluated
 * @param cachedInputTokens of prompts, whose state was reused
 * @param outputTokens drawn
 * @param inputCpuNanos processor time of the tokens read
 * @param outputCpuNanos processor time of the tokens written
 * @param busyNanos time in which a step was under way
 */
public record SchedulerState(
        int running,
        int waiting,
        int prefixTokens,
        int cellsUsed,
        int cells,
        double outputTokensPerSecond,
        long steps,
        long ended,
        long setBack,
        long inputTokens,
        long cachedInputTokens,
        long outputTokens,
        long inputCpuNanos,
        long outputCpuNanos,
        long busyNanos) {
    /** Processor time of all steps: of the step thread and of what the backend reports beside it. The sum over all sequences. */
    public long cpuNanos() {
        return inputCpuNanos + outputCpuNanos;
    }
}
