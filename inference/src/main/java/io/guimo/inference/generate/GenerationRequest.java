package io.guimo.inference.generate;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One sequence to continue.
 *
 * @param prompt token ids, at least 1
 * @param maxTokens most tokens to generate, at least 1
 * @param sampling how tokens are drawn
 * @param topLogprobs how many alternatives to tell of each token, 0 to 20; −1: no log probabilities at all
 * @param constraint what the answer must look like; null: anything
 * @param endTokens tokens that end the answer and are no part of it, usually the model's own
 * @param scope whose prefixes may be reused: an organisation's id
 * @param priority lower ones are served first when there is no room for all; 0 is usual
 * @param deadline when the answer is of no use any more: what has not begun then is refused, what has begun ends; null: never
 * @param adapter name of an adapter loaded beside the model; null: the model as it is
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record GenerationRequest(
        int[] prompt,
        int maxTokens,
        Sampling sampling,
        int topLogprobs,
        @Nullable Constraint constraint,
        Set<Integer> endTokens,
        String scope,
        int priority,
        @Nullable Instant deadline,
        @Nullable String adapter) {
    /** As OpenAI's API permits. */
    public static final int MOST_TOP_LOGPROBS = 20;

    public GenerationRequest {
        if (prompt.length == 0) throw new IllegalArgumentException("the prompt is empty; give at least one token");
        if (maxTokens < 1) throw new IllegalArgumentException("maxTokens is " + maxTokens + "; give 1 or more");
        if (topLogprobs < -1 || topLogprobs > MOST_TOP_LOGPROBS) {
            throw new IllegalArgumentException(
                    "topLogprobs is " + topLogprobs + "; give 0 to " + MOST_TOP_LOGPROBS + ", or -1 for none");
        }
        prompt = prompt.clone();
        endTokens = Set.copyOf(endTokens);
    }

    /** A copy. */
    @Override
    public int[] prompt() {
        return prompt.clone();
    }
}
