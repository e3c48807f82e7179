package io.guimo.inference;

/**
 * Tokens of a chat completion.
 *
 * @param inputTokens       tokens read, without those from the upstream's cache
 * @param cachedInputTokens tokens whose state the upstream had kept
 * @param outputTokens      tokens written
 * @param reported          counted by us or said by the upstream; false when neither: then output tokens are the content chunks of a stream, and input is 0
 */
public record ChatUsage(long inputTokens, long cachedInputTokens, long outputTokens, boolean reported) {
    /** Nothing reported and nothing counted. */
    public static final ChatUsage NONE = new ChatUsage(0, 0, 0, false);

    public ChatUsage {
        if (inputTokens < 0 || cachedInputTokens < 0 || outputTokens < 0) {
            throw new IllegalArgumentException(
                    "token counts below 0: " + inputTokens + ", " + cachedInputTokens + ", " + outputTokens);
        }
    }
}
