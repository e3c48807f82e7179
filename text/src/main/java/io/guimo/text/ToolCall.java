package io.guimo.text;

/**
 * A call of a tool that a model asked for.
 *
 * @param id by which its result is told from those of other calls
 * @param arguments JSON object, as text
 */
public record ToolCall(String id, String name, String arguments) {}
