package io.guimo.serve.language;

/** Tokens as OpenAI's completions count them: cached ones are among those of the prompt. */
record OpenAiUsage(
        long promptTokens,
        long completionTokens,
        long totalTokens,
        PromptTokensDetails promptTokensDetails,
        CompletionTokensDetails completionTokensDetails) {
    record PromptTokensDetails(long cachedTokens, long audioTokens) {}

    record CompletionTokensDetails(
            long reasoningTokens, long audioTokens, long acceptedPredictionTokens, long rejectedPredictionTokens) {}

    static OpenAiUsage of(TokenUsage usage) {
        return new OpenAiUsage(
                usage.prompt(),
                usage.output(),
                usage.total(),
                new PromptTokensDetails(usage.cached(), 0),
                new CompletionTokensDetails(0, 0, 0, 0));
    }
}
