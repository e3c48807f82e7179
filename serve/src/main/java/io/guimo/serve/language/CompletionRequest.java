package io.guimo.serve.language;

import io.guimo.serve.TextsOrTokens;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * OpenAI's older request: text that is continued as it stands, without a template.
 *
 * @param prompt texts or token ids; several are answered one after another, {@code n} choices each
 * @param suffix refused: these models write forward only
 * @param maxTokens 16 unless given
 * @param logprobs how many alternatives to tell of each token, 0 to 5
 * @param echo whether the answer repeats the prompt; not together with {@code logprobs}, since a prompt's are not computed
 * @param bestOf refused unless it equals {@code n}
 * @param user accepted and not kept
 */
record CompletionRequest(
        String model,
        TextsOrTokens prompt,
        @Nullable String suffix,
        @Nullable Long maxTokens,
        @Nullable Long n,
        @Nullable StopTexts stop,
        @Nullable Double temperature,
        @Nullable Double topP,
        @Nullable Long topK,
        @Nullable Double minP,
        @Nullable Double repetitionPenalty,
        @Nullable Double frequencyPenalty,
        @Nullable Double presencePenalty,
        @Nullable Map<String, Double> logitBias,
        @Nullable Long seed,
        @Nullable Long logprobs,
        @Nullable Boolean echo,
        @Nullable Long bestOf,
        @Nullable Boolean stream,
        ChatCompletionRequest.@Nullable StreamOptions streamOptions,
        @Nullable String user) {
    static final int MOST_LOGPROBS = 5;

    /** Refuses what is asked for and cannot be. */
    void check(int choices) {
        if (suffix != null && !suffix.isEmpty()) {
            throw Fields.unsupported("suffix", "'suffix' is given; these models write forward only, leave it out");
        }
        if (bestOf != null && bestOf != choices) {
            throw Fields.unsupported("best_of", "'best_of' is " + bestOf + "; all choices are answered, leave it out");
        }
        if (Fields.flag(echo) && logprobs != null) {
            throw Fields.unsupported("echo", "'echo' is given with 'logprobs'; those of a prompt are not computed");
        }
        if (streamOptions != null && !Fields.flag(stream)) {
            throw Fields.invalid("stream_options", "'stream_options' is given without 'stream': true");
        }
    }
}
