package io.guimo.text.jinja;

import io.guimo.text.jinja.Expression.Arguments;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One walk through a template's tree. */
final class Rendering {
    private static final int LONGEST_RANGE = 100_000;

    /** Variables of a loop's turn, a macro's call or a with block, and those around them. */
    private static final class Scope {
        final @Nullable Scope outer;
        final Map<String, @Nullable Object> values = new HashMap<>();

        Scope(@Nullable Scope outer) {
            this.outer = outer;
        }
    }

    private enum Flow {
        ON,
        BREAK,
        CONTINUE
    }

    final Budget budget;
    private final Scope globals = new Scope(null);

    Rendering(
            Map<String, ? extends @Nullable Object> values,
            Map<String, Function<String, String>> functions,
            Budget budget) {
        this.budget = budget;
        functions.forEach((name, function) -> globals.values.put(name, (Callable) (arguments, named, line) -> {
            if (arguments.size() != 1 || !named.isEmpty() || !(arguments.getFirst() instanceof String text)) {
                throw JinjaException.at(line, name + " takes one text");
            }
            return function.apply(text);
        }));
        globals.values.put("namespace", (Callable) (arguments, named, line) -> {
            Map<String, @Nullable Object> start = new LinkedHashMap<>();
            for (Object argument : arguments) {
                if (!(argument instanceof Map<?, ?> map)) throw JinjaException.at(line, "namespace takes names");
                map.forEach((key, value) -> start.put(String.valueOf(key), value));
            }
            start.putAll(named);
            return new Namespace(start);
        });
        globals.values.put("dict", (Callable) (arguments, named, line) -> {
            if (!arguments.isEmpty()) throw JinjaException.at(line, "dict takes names");
            return new LinkedHashMap<>(named);
        });
        globals.values.put("range", (Callable) this::range);
        globals.values.put("raise_exception", (Callable) (arguments, named, line) -> {
            throw JinjaException.raised(
                    arguments.isEmpty() ? "the template refuses it" : Python.text(arguments.getFirst(), budget, line));
        });
        globals.values.putAll(values);
    }

    String render(List<Node> nodes) {
        StringBuilder out = new StringBuilder();
        run(nodes, globals, out);
        return out.toString();
    }

    private Flow run(List<Node> nodes, Scope scope, StringBuilder out) {
        for (Node node : nodes) {
            Flow flow = run(node, scope, out);
            if (flow != Flow.ON) return flow;
        }
        return Flow.ON;
    }

    private Flow run(Node node, Scope scope, StringBuilder out) {
        switch (node) {
            case Node.Text text -> write(text.text(), out, 1);
            case Node.Print print -> {
                int line = print.value().line();
                write(Python.text(value(print.value(), scope), budget, line), out, line);
            }
            case Node.If branches -> {
                for (int i = 0; i < branches.conditions().size(); i++) {
                    if (Python.truth(value(branches.conditions().get(i), scope))) {
                        return run(branches.bodies().get(i), scope, out);
                    }
                }
                return run(branches.otherwise(), scope, out);
            }
            case Node.For loop -> {
                return loop(loop, scope, out);
            }
            case Node.Break _ -> {
                return Flow.BREAK;
            }
            case Node.Continue _ -> {
                return Flow.CONTINUE;
            }
            case Node.Set set -> set(set, scope);
            case Node.SetBlock set ->
                scope.values.put(set.name(), filtered(set.filters(), set.body(), scope, set.line()));
            case Node.With with -> {
                Scope inner = new Scope(scope);
                for (int i = 0; i < with.names().size(); i++) {
                    inner.values.put(with.names().get(i), value(with.values().get(i), scope));
                }
                return run(with.body(), inner, out);
            }
            case Node.FilterBlock block ->
                write(
                        Python.text(filtered(block.filters(), block.body(), scope, block.line()), budget, block.line()),
                        out,
                        block.line());
            case Node.Macro macro -> scope.values.put(macro.name(), macro(macro, scope));
            case Node.Marked marked -> {
                return run(marked.body(), scope, out);
            }
        }
        return Flow.ON;
    }

    private void write(String text, StringBuilder out, int line) {
        budget.characters(text.length(), line);
        out.append(text);
    }

    private @Nullable Object filtered(@Nullable Expression filters, List<Node> body, Scope scope, int line) {
        StringBuilder text = new StringBuilder();
        run(body, new Scope(scope), text);
        budget.characters(text.length(), line);
        return filters == null ? text.toString() : filter((Expression.Filter) filters, text.toString(), scope);
    }

    private void set(Node.Set set, Scope scope) {
        Object value = value(set.value(), scope);
        if (set.attribute() != null) {
            if (!(lookup(set.names().getFirst(), scope) instanceof Namespace namespace)) {
                throw JinjaException.at(
                        set.line(), set.names().getFirst() + " is no namespace, so that it cannot be set");
            }
            namespace.values().put(set.attribute(), value);
        } else {
            assign(set.names(), value, scope, set.line());
        }
    }

    private void assign(List<String> names, @Nullable Object value, Scope scope, int line) {
        if (names.size() == 1) {
            scope.values.put(names.getFirst(), value);
            return;
        }
        List<@Nullable Object> items = items(value, line);
        if (items.size() != names.size()) {
            throw JinjaException.at(line, items.size() + " values for the " + names.size() + " names " + names);
        }
        for (int i = 0; i < names.size(); i++) scope.values.put(names.get(i), items.get(i));
    }

    private Flow loop(Node.For loop, Scope scope, StringBuilder out) {
        List<@Nullable Object> items = items(value(loop.items(), scope), loop.line());
        if (loop.condition() != null) {
            List<@Nullable Object> kept = new ArrayList<>();
            for (Object item : items) {
                Scope turn = new Scope(scope);
                assign(loop.names(), item, turn, loop.line());
                if (Python.truth(value(loop.condition(), turn))) kept.add(item);
            }
            items = kept;
        }
        if (items.isEmpty()) return run(loop.otherwise(), new Scope(scope), out);
        for (int i = 0; i < items.size(); i++) {
            budget.step(loop.line());
            Scope turn = new Scope(scope);
            turn.values.put("loop", new Turn(items, i));
            assign(loop.names(), items.get(i), turn, loop.line());
            if (run(loop.body(), turn, out) == Flow.BREAK) break;
        }
        return Flow.ON;
    }

    /** What {@code loop} is within a loop. */
    private record Turn(List<@Nullable Object> items, int index) {
        @Nullable
        Object attribute(String name) {
            return switch (name) {
                case "index" -> index + 1L;
                case "index0" -> (long) index;
                case "revindex" -> (long) items.size() - index;
                case "revindex0" -> items.size() - index - 1L;
                case "first" -> index == 0;
                case "last" -> index == items.size() - 1;
                case "length" -> (long) items.size();
                case "previtem" -> index == 0 ? new Undefined("there is no previous item") : items.get(index - 1);
                case "nextitem" ->
                    index == items.size() - 1 ? new Undefined("there is no next item") : items.get(index + 1);
                case "cycle" ->
                    (Callable) (arguments, named, line) -> {
                        if (arguments.isEmpty()) throw JinjaException.at(line, "cycle takes one value or more");
                        return arguments.get(index % arguments.size());
                    };
                default -> new Undefined("a loop has no " + name + " here");
            };
        }
    }

    private Callable macro(Node.Macro macro, Scope defined) {
        return (arguments, named, line) -> {
            budget.enter(line);
            Scope call = new Scope(defined);
            List<String> parameters = macro.parameters();
            if (arguments.size() > parameters.size()) {
                throw JinjaException.at(
                        line, macro.name() + " takes " + parameters.size() + " arguments, not " + arguments.size());
            }
            for (String name : named.keySet()) {
                if (parameters.indexOf(name) < arguments.size()) {
                    throw JinjaException.at(line, macro.name() + " takes no argument " + name + " here");
                }
            }
            int firstDefault = parameters.size() - macro.defaults().size();
            for (int i = 0; i < parameters.size(); i++) {
                String name = parameters.get(i);
                Object value;
                if (i < arguments.size()) value = arguments.get(i);
                else if (named.containsKey(name)) value = named.get(name);
                else if (i >= firstDefault) value = value(macro.defaults().get(i - firstDefault), call);
                else value = new Undefined("parameter " + name + " was not given");
                call.values.put(name, value);
            }
            StringBuilder text = new StringBuilder();
            run(macro.body(), call, text);
            budget.characters(text.length(), line);
            budget.leave();
            return text.toString();
        };
    }

    private Object range(List<@Nullable Object> arguments, Map<String, @Nullable Object> named, int line) {
        if (arguments.isEmpty() || arguments.size() > 3 || !named.isEmpty()) {
            throw JinjaException.at(line, "range takes one to three whole numbers");
        }
        long[] bounds = new long[arguments.size()];
        for (int i = 0; i < bounds.length; i++) bounds[i] = whole(arguments.get(i), line);
        long from = bounds.length == 1 ? 0 : bounds[0];
        long to = bounds.length == 1 ? bounds[0] : bounds[1];
        long step = bounds.length == 3 ? bounds[2] : 1;
        if (step == 0) throw JinjaException.at(line, "range has the step 0");
        List<Object> numbers = new ArrayList<>();
        for (long i = from; step > 0 ? i < to : i > to; i += step) {
            if (numbers.size() == LONGEST_RANGE) {
                throw JinjaException.at(line, "range has more than " + LONGEST_RANGE + " numbers");
            }
            budget.step(line);
            numbers.add(i);
        }
        return numbers;
    }

    private static @Nullable Object lookup(String name, Scope start) {
        for (Scope scope = start; scope != null; scope = scope.outer) {
            Object value = scope.values.get(name);
            if (value != null || scope.values.containsKey(name)) return value;
        }
        return new Undefined(name + " is not defined");
    }

    private @Nullable Object value(Expression expression, Scope scope) {
        int line = expression.line();
        budget.step(line);
        return switch (expression) {
            case Expression.Literal literal -> literal.value();
            case Expression.Name name -> lookup(name.name(), scope);
            case Expression.Items list -> values(list.items(), scope);
            case Expression.Dictionary dictionary -> {
                Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
                for (int i = 0; i < dictionary.keys().size(); i++) {
                    map.put(
                            key(value(dictionary.keys().get(i), scope), line),
                            value(dictionary.values().get(i), scope));
                }
                yield map;
            }
            case Expression.Attribute attribute -> attribute(value(attribute.of(), scope), attribute.name(), line);
            case Expression.Index index -> index(value(index.of(), scope), value(index.index(), scope), line);
            case Expression.Slice slice -> slice(slice, scope);
            case Expression.Call call -> {
                if (!(value(call.callee(), scope) instanceof Callable callable)) {
                    throw JinjaException.at(line, notCallable(call.callee()));
                }
                yield callable.call(positional(call.arguments(), scope), named(call.arguments(), scope), line);
            }
            case Expression.Filter filter -> filter(filter, value(required(filter.of(), line), scope), scope);
            case Expression.Test test ->
                Tests.test(test.name(), value(test.of(), scope), positional(test.arguments(), scope), this, line);
            case Expression.Not not -> !Python.truth(value(not.of(), scope));
            case Expression.Negative negative ->
                switch (value(negative.of(), scope)) {
                    case Long number -> exactly(line, () -> Math.negateExact(number));
                    case Double number -> -number;
                    case Object other -> throw JinjaException.at(line, "a minus stands before a " + Python.type(other));
                    case null -> throw JinjaException.at(line, "a minus stands before None");
                };
            case Expression.And and -> {
                Object left = value(and.left(), scope);
                yield Python.truth(left) ? value(and.right(), scope) : left;
            }
            case Expression.Or or -> {
                Object left = value(or.left(), scope);
                yield Python.truth(left) ? left : value(or.right(), scope);
            }
            case Expression.Binary binary ->
                binary(binary.operator(), value(binary.left(), scope), value(binary.right(), scope), line);
            case Expression.Comparison comparison -> comparison(comparison, scope);
            case Expression.Conditional conditional -> {
                if (Python.truth(value(conditional.condition(), scope))) yield value(conditional.then(), scope);
                yield conditional.otherwise() == null
                        ? new Undefined("the condition of an if without else does not hold")
                        : value(conditional.otherwise(), scope);
            }
        };
    }

    private static Expression required(@Nullable Expression expression, int line) {
        if (expression == null) throw JinjaException.at(line, "a filter has nothing to work on");
        return expression;
    }

    private static String notCallable(Expression callee) {
        return switch (callee) {
            case Expression.Name name -> name.name() + " is not defined or cannot be called";
            case Expression.Attribute attribute -> "'" + attribute.name() + "' is not defined or cannot be called";
            default -> "what is called is no function";
        };
    }

    private List<@Nullable Object> values(List<Expression> expressions, Scope scope) {
        List<@Nullable Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) values.add(value(expression, scope));
        return values;
    }

    private List<@Nullable Object> positional(Arguments arguments, Scope scope) {
        return values(
                arguments
                        .values()
                        .subList(
                                0, arguments.values().size() - arguments.names().size()),
                scope);
    }

    private Map<String, @Nullable Object> named(Arguments arguments, Scope scope) {
        Map<String, @Nullable Object> named = new LinkedHashMap<>();
        int first = arguments.values().size() - arguments.names().size();
        for (int i = 0; i < arguments.names().size(); i++) {
            named.put(arguments.names().get(i), value(arguments.values().get(first + i), scope));
        }
        return named;
    }

    private @Nullable Object filter(Expression.Filter filter, @Nullable Object of, Scope scope) {
        // a chain of filters over a block's text begins with a filter of nothing
        if (filter.of() instanceof Expression.Filter inner && of instanceof String && isOfBlock(inner)) {
            of = filter(inner, of, scope);
        }
        return Filters.filter(
                filter.name(),
                of,
                new Filters.Given(
                        filter.name(),
                        positional(filter.arguments(), scope),
                        named(filter.arguments(), scope),
                        filter.line()),
                this);
    }

    private static boolean isOfBlock(Expression.Filter filter) {
        return filter.of() == null || (filter.of() instanceof Expression.Filter inner && isOfBlock(inner));
    }

    @Nullable
    Object attribute(@Nullable Object of, String name, int line) {
        return switch (of) {
            case Undefined undefined -> throw JinjaException.at(line, undefined.what() + ", so that it has no " + name);
            case Namespace namespace ->
                namespace.values().containsKey(name)
                        ? namespace.values().get(name)
                        : new Undefined("the namespace has no " + name);
            case Turn turn -> turn.attribute(name);
            case null -> new Undefined("None has no " + name);
            default -> {
                Callable method = Methods.method(of, name, budget);
                if (method != null) yield method;
                if (of instanceof Map<?, ?> map && map.containsKey(name)) yield map.get(name);
                yield new Undefined("there is no " + name);
            }
        };
    }

    @Nullable
    Object index(@Nullable Object of, @Nullable Object index, int line) {
        switch (of) {
            case Undefined undefined -> throw JinjaException.at(line, undefined.what() + ", so that it has no items");
            case Map<?, ?> map -> {
                Object key = key(index, line);
                if (map.containsKey(key)) return map.get(key);
            }
            case List<?> list -> {
                if (index instanceof Long at) {
                    long place = at < 0 ? at + list.size() : at;
                    return place >= 0 && place < list.size()
                            ? list.get((int) place)
                            : new Undefined("a list of " + list.size() + " has no item " + at);
                }
            }
            case String text -> {
                if (index instanceof Long at) {
                    int length = text.codePointCount(0, text.length());
                    budget.characters(text.length(), line);
                    long place = at < 0 ? at + length : at;
                    return place >= 0 && place < length
                            ? Character.toString(text.codePointAt(text.offsetByCodePoints(0, (int) place)))
                            : new Undefined("a text of " + length + " characters has no character " + at);
                }
            }
            case null, default -> {}
        }
        return index instanceof String name ? attribute(of, name, line) : new Undefined("there is no such item");
    }

    private static @Nullable Object key(@Nullable Object key, int line) {
        if (key instanceof List<?>
                || key instanceof Map<?, ?>
                || key instanceof Namespace
                || key instanceof Undefined) {
            throw JinjaException.at(line, "a " + Python.type(key) + " cannot be a key");
        }
        return key instanceof Double real && real == Math.rint(real) && Math.abs(real) < 1e15
                ? (Object) real.longValue()
                : key;
    }

    private Object slice(Expression.Slice slice, Scope scope) {
        int line = slice.line();
        Object of = value(slice.of(), scope);
        Long from = bound(slice.from(), scope, line);
        Long to = bound(slice.to(), scope, line);
        Long by = bound(slice.step(), scope, line);
        long step = by == null ? 1 : by;
        if (step == 0) throw JinjaException.at(line, "a slice has the step 0");
        int[] points = of instanceof String text ? text.codePoints().toArray() : new int[0];
        List<?> list = of instanceof List<?> given ? given : List.of();
        if (of instanceof String text) budget.characters(text.length(), line);
        else if (!(of instanceof List<?>)) throw JinjaException.at(line, "a " + Python.type(of) + " has no slices");
        int size = of instanceof String ? points.length : list.size();
        long start = place(from, size, step, step > 0 ? 0 : size - 1);
        long end = to == null ? (step > 0 ? size : -1) : place(to, size, step, 0);
        StringBuilder text = new StringBuilder();
        List<@Nullable Object> items = new ArrayList<>();
        for (long i = start; step > 0 ? i < end : i > end; i += step) {
            budget.step(line);
            if (of instanceof String) text.appendCodePoint(points[(int) i]);
            else items.add(list.get((int) i));
        }
        return of instanceof String ? text.toString() : items;
    }

    private @Nullable Long bound(@Nullable Expression expression, Scope scope, int line) {
        if (expression == null) return null;
        Object value = value(expression, scope);
        return value == null ? null : (Long) whole(value, line);
    }

    /** A bound of a slice, counted from the end where it is negative, moved inside. */
    private static long place(@Nullable Long bound, int size, long step, long missing) {
        if (bound == null) return missing;
        long place = bound < 0 ? bound + size : bound;
        return step > 0 ? Math.clamp(place, 0, size) : Math.clamp(place, -1, size - 1);
    }

    static long whole(@Nullable Object value, int line) {
        return switch (value) {
            case Long number -> number;
            case Boolean truth -> truth ? 1 : 0;
            case null, default ->
                throw JinjaException.at(line, "a whole number is expected, not a " + Python.type(value));
        };
    }

    private interface Exactly {
        long compute();
    }

    private static Long exactly(int line, Exactly computation) {
        try {
            return computation.compute();
        } catch (ArithmeticException beyond) {
            throw JinjaException.at(line, "a number is too large, or divided by 0");
        }
    }

    private Object binary(String operator, @Nullable Object left, @Nullable Object right, int line) {
        if (operator.equals("~")) {
            String text = Python.text(left, budget, line).concat(Python.text(right, budget, line));
            budget.characters(text.length(), line);
            return text;
        }
        if (operator.equals("+") && left instanceof String a && right instanceof String b) {
            budget.characters((long) a.length() + b.length(), line);
            return a + b;
        }
        if (operator.equals("+") && left instanceof List<?> a && right instanceof List<?> b) {
            budget.characters((long) a.size() + b.size(), line);
            List<@Nullable Object> both = new ArrayList<>(a);
            both.addAll(b);
            return both;
        }
        if (operator.equals("*") && left instanceof String text && right instanceof Long times) {
            if (times <= 0) return "";
            budget.characters(
                    Math.multiplyHigh(text.length(), times) == 0 ? text.length() * times : Long.MAX_VALUE, line);
            return text.repeat(Math.toIntExact(times));
        }
        Object a = left instanceof Boolean truth ? (Object) (truth ? 1L : 0L) : left;
        Object b = right instanceof Boolean truth ? (Object) (truth ? 1L : 0L) : right;
        if (a instanceof Long x && b instanceof Long y) {
            return switch (operator) {
                case "+" -> exactly(line, () -> Math.addExact(x, y));
                case "-" -> exactly(line, () -> Math.subtractExact(x, y));
                case "*" -> exactly(line, () -> Math.multiplyExact(x, y));
                case "//" -> exactly(line, () -> Math.floorDivExact(x, y));
                case "%" -> exactly(line, () -> Math.floorMod(x, y));
                case "**" -> exactly(line, () -> power(x, y));
                default -> {
                    if (y == 0) throw JinjaException.at(line, "a number is divided by 0");
                    yield (double) x / y;
                }
            };
        }
        if (a instanceof Number x && b instanceof Number y && (a instanceof Double || b instanceof Double)) {
            double p = x.doubleValue();
            double q = y.doubleValue();
            if (q == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
                throw JinjaException.at(line, "a number is divided by 0");
            }
            return switch (operator) {
                case "+" -> p + q;
                case "-" -> p - q;
                case "*" -> p * q;
                case "/" -> p / q;
                case "//" -> Math.floor(p / q);
                case "%" -> p - q * Math.floor(p / q);
                default -> Math.pow(p, q);
            };
        }
        throw JinjaException.at(
                line, "'" + operator + "' stands between " + Python.type(left) + " and " + Python.type(right));
    }

    private static long power(long base, long exponent) {
        if (exponent < 0 || exponent > 62) throw new ArithmeticException();
        long power = 1;
        for (long i = 0; i < exponent; i++) power = Math.multiplyExact(power, base);
        return power;
    }

    private Object comparison(Expression.Comparison comparison, Scope scope) {
        int line = comparison.line();
        Object left = value(comparison.operands().getFirst(), scope);
        for (int i = 0; i < comparison.operators().size(); i++) {
            Object right = value(comparison.operands().get(i + 1), scope);
            boolean holds =
                    switch (comparison.operators().get(i)) {
                        case "==" -> Python.equal(left, right, budget, line);
                        case "!=" -> !Python.equal(left, right, budget, line);
                        case "<" -> Python.compare(left, right, budget, line) < 0;
                        case "<=" -> Python.compare(left, right, budget, line) <= 0;
                        case ">" -> Python.compare(left, right, budget, line) > 0;
                        case ">=" -> Python.compare(left, right, budget, line) >= 0;
                        case "in" -> contains(right, left, line);
                        default -> !contains(right, left, line);
                    };
            if (!holds) return false;
            left = right;
        }
        return true;
    }

    boolean contains(@Nullable Object container, @Nullable Object item, int line) {
        return switch (container) {
            case String text -> {
                if (!(item instanceof String part)) {
                    throw JinjaException.at(line, "a " + Python.type(item) + " cannot be in a text");
                }
                budget.characters(text.length(), line);
                yield text.contains(part);
            }
            case Map<?, ?> map -> map.containsKey(key(item, line));
            case List<?> list -> {
                for (Object candidate : list) {
                    if (Python.equal(candidate, item, budget, line)) yield true;
                }
                yield false;
            }
            case Undefined _ -> false;
            case null, default -> throw JinjaException.at(line, "nothing can be in a " + Python.type(container));
        };
    }

    /** What iterating over a value gives. */
    List<@Nullable Object> items(@Nullable Object value, int line) {
        return switch (value) {
            case List<?> list -> new ArrayList<@Nullable Object>(list);
            case Map<?, ?> map -> new ArrayList<@Nullable Object>(map.keySet());
            case Undefined _ -> List.of();
            case String text -> {
                budget.characters(text.length() * 8L, line); // an object for each character
                List<@Nullable Object> characters = new ArrayList<>();
                text.codePoints().forEach(c -> characters.add(Character.toString(c)));
                yield characters;
            }
            case null, default -> throw JinjaException.at(line, "a " + Python.type(value) + " has no items");
        };
    }
}
