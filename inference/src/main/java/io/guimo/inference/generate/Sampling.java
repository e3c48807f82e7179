package io.guimo.inference.generate;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How the next token is drawn from the logits, in the order in which it is applied: bias, penalties, temperature, then the cuts top-k, top-p, min-p.
 *
 * @param temperature 0 to 2; 0: the most likely token, no chance
 * @param topK keep the k most likely; 0: all
 * @param topP keep the least set of most likely tokens whose probability reaches this, over 0 to 1; 1: all
 * @param minP keep tokens at least this fraction as likely as the most likely one, 0 to 1; 0: all
 * @param frequencyPenalty −2 to 2: subtracted from a logit for each time the token was generated
 * @param presencePenalty −2 to 2: subtracted once if the token was generated
 * @param repetitionPenalty over 0 to 2: a positive logit of a token of prompt or answer is divided by it, a negative one multiplied; 1: off (Keskar et al. 2019)
 * @param logitBias added to the logits of single tokens, −100 to 100; at −100 the token never comes
 * @param seed repeats the draw: same model, prompt and settings give the same tokens; null: drawn at random
 */
public record Sampling(
        double temperature,
        int topK,
        double topP,
        double minP,
        double frequencyPenalty,
        double presencePenalty,
        double repetitionPenalty,
        Map<Integer, Double> logitBias,
        @Nullable Long seed) {
    /** The most likely token, always. */
    public static final Sampling GREEDY = new Sampling(0, 0, 1, 0, 0, 0, 1, Map.of(), null);

    public Sampling {
        require("temperature", temperature, 0, 2);
        if (topK < 0) throw new IllegalArgumentException("topK is " + topK + "; give 0 (all) or more");
        if (!(topP > 0 && topP <= 1)) throw new IllegalArgumentException("topP is " + topP + "; give over 0 to 1");
        require("minP", minP, 0, 1);
        require("frequencyPenalty", frequencyPenalty, -2, 2);
        require("presencePenalty", presencePenalty, -2, 2);
        if (!(repetitionPenalty > 0 && repetitionPenalty <= 2)) {
            throw new IllegalArgumentException("repetitionPenalty is " + repetitionPenalty + "; give over 0 to 2");
        }
        logitBias = Map.copyOf(logitBias);
        logitBias.forEach((token, bias) -> require("logitBias of token " + token, bias, -100, 100));
    }

    private static void require(String name, double value, double least, double most) {
        if (!(value >= least && value <= most)) {
            throw new IllegalArgumentException(name + " is " + value + "; give " + least + " to " + most);
        }
    }
}
