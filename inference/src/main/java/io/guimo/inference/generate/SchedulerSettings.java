package io.guimo.inference.generate;

/**
 * How the sequences of one model share its backend.
 *
 * @param model name of the model, for refusals
 * @param version its version
 * @param maxRunning most sequences in work at once, 1 or more; the backend's own limits hold beside it. More sequences than this in the backend leave
 *     places for the prefixes that are kept
 * @param maxWaiting most sequences that wait for their turn, 1 to 65,536; more are refused
 * @param prefillTokens most prompt tokens read in a step in which other sequences write, 1 or more: what a stream waits for a neighbour's prompt, token
 *     by token
 * @param prefixTokens most positions kept of sequences that have ended, 0 or more; what runs has precedence. 0: nothing is kept
 */
public record SchedulerSettings(
        String model, String version, int maxRunning, int maxWaiting, int prefillTokens, int prefixTokens) {
    public SchedulerSettings {
        require("maxRunning", maxRunning, 1, 65_536);
        require("maxWaiting", maxWaiting, 1, 65_536);
        require("prefillTokens", prefillTokens, 1, Integer.MAX_VALUE);
        require("prefixTokens", prefixTokens, 0, Integer.MAX_VALUE);
    }

    /** As many sequences as the backend takes, 512 that wait, prompts by 64 tokens, and prefixes kept wherever there is room. */
    public static SchedulerSettings standard(String model, String version) {
        return new SchedulerSettings(model, version, 65_536, 512, 64, Integer.MAX_VALUE);
    }

    private static void require(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + ": " + value + "; permitted are " + least + " to " + most);
        }
    }
}
