package io.guimo.inference;

import io.guimo.inference.generate.SchedulerState;

/**
 * What a language model has under way.
 *
 * @param running sequences in work
 * @param waiting sequences whose turn has not come
 * @param cellsUsed positions of the cache that take room, those of {@code prefixTokens} included
 * @param prefixTokens positions kept of sequences that have ended, which give way to what runs
 */
public record GeneratorState(int running, int waiting, int cellsUsed, int prefixTokens) {
    public static final GeneratorState NOTHING = new GeneratorState(0, 0, 0, 0);

    /** With what another scheduler of the same model, such as an adapter's, has under way. */
    public GeneratorState plus(SchedulerState more) {
        return new GeneratorState(
                running + more.running(),
                waiting + more.waiting(),
                cellsUsed + more.cellsUsed(),
                prefixTokens + more.prefixTokens());
    }
}
