package io.guimo.text;

import org.jspecify.annotations.Nullable;

/**
 * A tool that a model may call.
 *
 * @param parameters JSON Schema of its arguments, as text
 */
public record ToolDefinition(String name, @Nullable String description, String parameters) {}
