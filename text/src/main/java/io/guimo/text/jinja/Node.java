package io.guimo.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A part of a template that writes or sets something. */
sealed interface Node {
    record Text(String text) implements Node {}

    record Print(Expression value) implements Node {}

    /** @param otherwise where none of the conditions holds */
    record If(List<Expression> conditions, List<List<Node>> bodies, List<Node> otherwise) implements Node {}

    /** @param names one, or several that each item is unpacked into */
    record For(
            List<String> names,
            Expression items,
            @Nullable Expression condition,
            List<Node> body,
            List<Node> otherwise,
            int line)
            implements Node {}

    record Break() implements Node {}

    record Continue() implements Node {}

    /** @param attribute of the namespace that the single name means; null: the names themselves are set */
    record Set(List<String> names, @Nullable String attribute, Expression value, int line) implements Node {}

    /** The text of the body, through filters, becomes a variable. */
    record SetBlock(String name, @Nullable Expression filters, List<Node> body, int line) implements Node {}

    record With(List<String> names, List<Expression> values, List<Node> body) implements Node {}

    record FilterBlock(Expression filters, List<Node> body, int line) implements Node {}

    /** @param defaults of the last parameters */
    record Macro(String name, List<String> parameters, List<Expression> defaults, List<Node> body, int line)
            implements Node {}

    /** A stretch that only marks something for training. */
    record Marked(List<Node> body) implements Node {}
}
