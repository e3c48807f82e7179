package io.guimo.serve.language;

import io.guimo.inference.generate.GeneratedToken;
import io.guimo.text.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Log probabilities as OpenAI's chat completions tell them. */
record Logprobs(List<TokenLogprob> content, @Nullable List<TokenLogprob> refusal) {
    /** What OpenAI's API gives for a token that is next to impossible. */
    private static final double LEAST = -9999;

    /**
     * @param bytes of the token, since its text alone need not be whole characters
     * @param topLogprobs the likeliest tokens at its place
     */
    record TokenLogprob(String token, double logprob, List<Integer> bytes, List<TopLogprob> topLogprobs) {}

    record TopLogprob(String token, double logprob, List<Integer> bytes) {}

    static Logprobs of(List<GeneratedToken> tokens, Vocabulary vocabulary) {
        return new Logprobs(tokens.stream().map(t -> of(t, vocabulary)).toList(), null);
    }

    static String text(byte[] token) {
        return new String(token, StandardCharsets.UTF_8);
    }

    static double finite(float logprob) {
        return Float.isFinite(logprob) ? logprob : LEAST;
    }

    private static TokenLogprob of(GeneratedToken token, Vocabulary vocabulary) {
        byte[] bytes = vocabulary.bytes(token.id());
        List<TopLogprob> top = token.alternatives().stream()
                .map(a -> {
                    byte[] other = vocabulary.bytes(a.id());
                    return new TopLogprob(text(other), finite(a.logprob()), unsigned(other));
                })
                .toList();
        return new TokenLogprob(text(bytes), finite(token.logprob()), unsigned(bytes), top);
    }

    private static List<Integer> unsigned(byte[] bytes) {
        List<Integer> values = new ArrayList<>(bytes.length);
        for (byte b : bytes) values.add(b & 0xff);
        return values;
    }
}
