package io.guimo.inference.generate;

import java.util.List;

/**
 * A token of an answer.
 *
 * @param logprob natural logarithm of its probability under the model, before temperature and cuts; NaN where none were asked for
 * @param alternatives the most likely tokens at its place, the likeliest first; empty where none were asked for
 */
public record GeneratedToken(int id, float logprob, List<Alternative> alternatives) {
    public GeneratedToken {
        alternatives = List.copyOf(alternatives);
    }

    /** A token that could have come, with its log probability. */
    public record Alternative(int id, float logprob) {}
}
