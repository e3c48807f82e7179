package io.guimo.text;

/** What an answer is made of where a model may call tools, in order. Texts and arguments come in as many pieces as the model's text did. */
public sealed interface ToolCallEvent {
    /** Text beside the calls. */
    record Text(String text) implements ToolCallEvent {}

    /** @param id by which the result is told from those of other calls */
    record Begin(String id, String name) implements ToolCallEvent {}

    /**
     * Of the call that began last.
     *
     * @param json a piece of its arguments
     */
    record Arguments(String json) implements ToolCallEvent {}

    /** All arguments of the call that began last are there. */
    record End() implements ToolCallEvent {}
}
