package io.guimo.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Something that has a value. */
sealed interface Expression {
    int line();

    record Literal(@Nullable Object value, int line) implements Expression {}

    record Name(String name, int line) implements Expression {}

    /** A list or a tuple, which here is the same. */
    record Items(List<Expression> items, int line) implements Expression {}

    record Dictionary(List<Expression> keys, List<Expression> values, int line) implements Expression {}

    record Attribute(Expression of, String name, int line) implements Expression {}

    record Index(Expression of, Expression index, int line) implements Expression {}

    record Slice(
            Expression of,
            @Nullable Expression from,
            @Nullable Expression to,
            @Nullable Expression step,
            int line) implements Expression {}

    record Call(Expression callee, Arguments arguments, int line) implements Expression {}

    /** {@code value | name(arguments)}; in a filter block the value is the block's text. */
    record Filter(@Nullable Expression of, String name, Arguments arguments, int line) implements Expression {}

    record Test(Expression of, String name, Arguments arguments, int line) implements Expression {}

    record Not(Expression of, int line) implements Expression {}

    record Negative(Expression of, int line) implements Expression {}

    record And(Expression left, Expression right, int line) implements Expression {}

    record Or(Expression left, Expression right, int line) implements Expression {}

    record Binary(String operator, Expression left, Expression right, int line) implements Expression {}

    /** {@code a < b <= c}: each operator stands between two neighbours. */
    record Comparison(List<Expression> operands, List<String> operators, int line) implements Expression {}

    record Conditional(
            Expression condition, Expression then, @Nullable Expression otherwise, int line) implements Expression {}

    /** @param names of the arguments given by name, the last of {@code values} */
    record Arguments(List<Expression> values, List<String> names) {
        static final Arguments NONE = new Arguments(List.of(), List.of());
    }
}
