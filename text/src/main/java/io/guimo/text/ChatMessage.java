package io.guimo.text;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A message of a conversation.
 *
 * @param role {@code system}, {@code developer}, {@code user}, {@code assistant} or {@code tool}
 * @param content text; empty where an assistant's message is tool calls only
 * @param name of the speaker or tool, if told
 * @param toolCalls of an assistant's message
 * @param toolCallId of a tool's message: the call that it answers
 */
public record ChatMessage(
        String role,
        String content,
        @Nullable String name,
        List<ToolCall> toolCalls,
        @Nullable String toolCallId) {
    public ChatMessage {
        toolCalls = List.copyOf(toolCalls);
    }

    /** A message of text alone. */
    public static ChatMessage of(String role, String content) {
        return new ChatMessage(role, content, null, List.of(), null);
    }
}
