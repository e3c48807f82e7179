package io.guimo.text.jinja;

import io.guimo.text.jinja.Expression.Arguments;
import io.guimo.text.jinja.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes a tree of tokens, by recursive descent with the precedences of Jinja 3.1, {@code parser.py}. */
final class Parser {
    /** Deepest nesting of expressions and of blocks, so that no source can exhaust the stack. */
    private static final int DEEPEST = 150;

    private final List<Token> tokens;
    private int next;
    private int depth;

    private Parser(List<Token> tokens) {
        this.tokens = tokens;
    }

    static List<Node> parse(String source) {
        Parser parser = new Parser(Lexer.tokens(source));
        List<Node> nodes = parser.nodes(Set.of());
        if (parser.peek().kind() != Kind.END) throw parser.unexpected(parser.peek());
        return nodes;
    }

    /** Reads up to a block tag with one of the names, whose name is left to be read. */
    private List<Node> nodes(Set<String> ends) {
        deeper();
        List<Node> nodes = new ArrayList<>();
        while (true) {
            Token token = peek();
            switch (token.kind()) {
                case TEXT -> nodes.add(new Node.Text(take().text()));
                case PRINT_BEGIN -> {
                    take();
                    nodes.add(new Node.Print(tuple()));
                    expect(Kind.PRINT_END);
                }
                case BLOCK_BEGIN -> {
                    Token tag = tokens.get(next + 1);
                    take();
                    if (tag.kind() != Kind.NAME) throw unexpected(tag);
                    if (ends.contains(tag.text())) {
                        depth--;
                        return nodes;
                    }
                    take();
                    nodes.add(block(tag));
                }
                default -> {
                    if (!ends.isEmpty()) {
                        throw JinjaException.at(
                                token.line(), "one of " + new java.util.TreeSet<>(ends) + " is missing");
                    }
                    depth--;
                    return nodes;
                }
            }
        }
    }

    private Node block(Token tag) {
        return switch (tag.text()) {
            case "if" -> conditional();
            case "for" -> loop(tag);
            case "set" -> set(tag);
            case "macro" -> macro(tag);
            case "with" -> with();
            case "filter" -> {
                Expression filters = filters(null, name());
                expect(Kind.BLOCK_END);
                yield new Node.FilterBlock(filters, body("endfilter"), tag.line());
            }
            case "generation" -> {
                expect(Kind.BLOCK_END);
                yield new Node.Marked(body("endgeneration"));
            }
            case "break" -> {
                expect(Kind.BLOCK_END);
                yield new Node.Break();
            }
            case "continue" -> {
                expect(Kind.BLOCK_END);
                yield new Node.Continue();
            }
            default ->
                throw JinjaException.at(
                        tag.line(),
                        "unknown tag '" + tag.text()
                                + "'; if, for, set, macro, with, filter, raw, generation, break and continue are read");
        };
    }

    private List<Node> body(String end) {
        List<Node> nodes = nodes(Set.of(end));
        take();
        expect(Kind.BLOCK_END);
        return nodes;
    }

    private Node conditional() {
        List<Expression> conditions = new ArrayList<>();
        List<List<Node>> bodies = new ArrayList<>();
        while (true) {
            conditions.add(expression());
            expect(Kind.BLOCK_END);
            bodies.add(nodes(Set.of("elif", "else", "endif")));
            Token end = take();
            switch (end.text()) {
                case "elif" -> {}
                case "else" -> {
                    expect(Kind.BLOCK_END);
                    return new Node.If(conditions, bodies, body("endif"));
                }
                default -> {
                    expect(Kind.BLOCK_END);
                    return new Node.If(conditions, bodies, List.of());
                }
            }
        }
    }

    private Node loop(Token tag) {
        List<String> names = targets("in");
        if (!take().isName("in")) throw JinjaException.at(tag.line(), "for has no 'in'");
        deeper();
        Expression items = disjunction(); // not a whole conditional: an 'if' belongs to the loop
        if (peek().isOperator(",")) {
            List<Expression> several = new ArrayList<>(List.of(items));
            while (accept(",")) several.add(disjunction());
            items = new Expression.Items(several, tag.line());
        }
        depth--;
        Expression condition = null;
        if (peek().isName("if")) {
            take();
            condition = expression();
        }
        if (peek().isName("recursive")) throw JinjaException.at(tag.line(), "recursive loops are not read");
        expect(Kind.BLOCK_END);
        List<Node> body = nodes(Set.of("else", "endfor"));
        List<Node> otherwise = List.of();
        if (take().isName("else")) {
            expect(Kind.BLOCK_END);
            otherwise = body("endfor");
        } else {
            expect(Kind.BLOCK_END);
        }
        return new Node.For(names, items, condition, body, otherwise, tag.line());
    }

    private List<String> targets(String end) {
        List<String> names = new ArrayList<>();
        boolean parenthesis = accept("(");
        do {
            if (peek().isName(end) || peek().isOperator(end)) break;
            names.add(name());
        } while (accept(","));
        if (parenthesis) expectOperator(")");
        return names;
    }

    private Node set(Token tag) {
        List<String> names = targets("=");
        String attribute = null;
        if (names.size() == 1 && accept(".")) attribute = name();
        if (accept("=")) {
            Expression value = tuple();
            expect(Kind.BLOCK_END);
            return new Node.Set(names, attribute, value, tag.line());
        }
        if (names.size() != 1 || attribute != null) throw unexpected(peek());
        Expression filters = null;
        if (accept("|")) filters = filters(null, name());
        expect(Kind.BLOCK_END);
        return new Node.SetBlock(names.getFirst(), filters, body("endset"), tag.line());
    }

    private Node macro(Token tag) {
        String name = name();
        expectOperator("(");
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        while (!accept(")")) {
            if (!parameters.isEmpty()) {
                expectOperator(",");
                if (accept(")")) break;
            }
            parameters.add(name());
            if (accept("=")) defaults.add(expression());
            else if (!defaults.isEmpty())
                throw JinjaException.at(tag.line(), "a parameter without a default comes last");
        }
        expect(Kind.BLOCK_END);
        return new Node.Macro(name, parameters, defaults, body("endmacro"), tag.line());
    }

    private Node with() {
        List<String> names = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (peek().kind() != Kind.BLOCK_END) {
            if (!names.isEmpty()) expectOperator(",");
            names.add(name());
            expectOperator("=");
            values.add(expression());
        }
        expect(Kind.BLOCK_END);
        return new Node.With(names, values, body("endwith"));
    }

    /** An expression, or several with commas between. */
    private Expression tuple() {
        Expression first = expression();
        if (!peek().isOperator(",")) return first;
        List<Expression> items = new ArrayList<>(List.of(first));
        while (accept(",")) {
            if (peek().kind() == Kind.BLOCK_END || peek().kind() == Kind.PRINT_END || peek().isOperator(")")) break;
            items.add(expression());
        }
        return new Expression.Items(items, first.line());
    }

    private Expression expression() {
        deeper();
        Expression value = disjunction();
        while (peek().isName("if")) {
            int line = take().line();
            Expression condition = disjunction();
            Expression otherwise = null;
            if (peek().isName("else")) {
                take();
                otherwise = expression();
            }
            value = new Expression.Conditional(condition, value, otherwise, line);
        }
        depth--;
        return value;
    }

    private Expression disjunction() {
        Expression left = conjunction();
        while (peek().isName("or")) {
            int line = take().line();
            left = new Expression.Or(left, conjunction(), line);
        }
        return left;
    }

    private Expression conjunction() {
        Expression left = negation();
        while (peek().isName("and")) {
            int line = take().line();
            left = new Expression.And(left, negation(), line);
        }
        return left;
    }

    private Expression negation() {
        if (!peek().isName("not")) return comparison();
        deeper();
        int line = take().line();
        Expression not = new Expression.Not(negation(), line);
        depth--;
        return not;
    }

    private Expression comparison() {
        Expression first = sum();
        List<Expression> operands = new ArrayList<>(List.of(first));
        List<String> operators = new ArrayList<>();
        while (true) {
            Token token = peek();
            if (token.kind() == Kind.OPERATOR
                    && Set.of("==", "!=", "<", "<=", ">", ">=").contains(token.text())) {
                operators.add(take().text());
            } else if (token.isName("in")) {
                take();
                operators.add("in");
            } else if (token.isName("not") && tokens.get(next + 1).isName("in")) {
                take();
                take();
                operators.add("not in");
            } else {
                break;
            }
            operands.add(sum());
        }
        return operators.isEmpty() ? first : new Expression.Comparison(operands, operators, first.line());
    }

    private Expression sum() {
        Expression left = concatenation();
        while (peek().isOperator("+") || peek().isOperator("-")) {
            Token operator = take();
            left = new Expression.Binary(operator.text(), left, concatenation(), operator.line());
        }
        return left;
    }

    private Expression concatenation() {
        Expression left = product();
        while (peek().isOperator("~")) {
            int line = take().line();
            left = new Expression.Binary("~", left, product(), line);
        }
        return left;
    }

    private Expression product() {
        Expression left = power();
        while (peek().isOperator("*") || peek().isOperator("/") || peek().isOperator("//") || peek().isOperator("%")) {
            Token operator = take();
            left = new Expression.Binary(operator.text(), left, power(), operator.line());
        }
        return left;
    }

    private Expression power() {
        Expression left = unary(true);
        while (peek().isOperator("**")) {
            int line = take().line();
            left = new Expression.Binary("**", left, unary(true), line);
        }
        return left;
    }

    private Expression unary(boolean withFilters) {
        deeper();
        Expression value;
        if (peek().isOperator("-")) {
            int line = take().line();
            value = new Expression.Negative(unary(false), line);
        } else if (peek().isOperator("+")) {
            take();
            value = unary(false);
        } else {
            value = primary();
        }
        value = postfix(value);
        if (withFilters) value = filtersAndTests(value);
        depth--;
        return value;
    }

    private Expression primary() {
        Token token = take();
        int line = token.line();
        return switch (token.kind()) {
            case NAME ->
                switch (token.text()) {
                    case "true", "True" -> new Expression.Literal(true, line);
                    case "false", "False" -> new Expression.Literal(false, line);
                    case "none", "None" -> new Expression.Literal(null, line);
                    default -> new Expression.Name(token.text(), line);
                };
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (peek().kind() == Kind.STRING) text.append(take().text());
                yield new Expression.Literal(text.toString(), line);
            }
            case INTEGER -> new Expression.Literal(Python.whole(new BigInteger(token.text())), line);
            case FLOAT -> new Expression.Literal(Double.valueOf(token.text()), line);
            case OPERATOR ->
                switch (token.text()) {
                    case "(" -> {
                        if (accept(")")) yield new Expression.Items(List.of(), line);
                        Expression inner = tuple();
                        expectOperator(")");
                        yield inner;
                    }
                    case "[" -> {
                        List<Expression> items = new ArrayList<>();
                        while (!accept("]")) {
                            if (!items.isEmpty()) {
                                expectOperator(",");
                                if (accept("]")) break;
                            }
                            items.add(expression());
                        }
                        yield new Expression.Items(items, line);
                    }
                    case "{" -> dictionary(line);
                    default -> throw unexpected(token);
                };
            default -> throw unexpected(token);
        };
    }

    private Expression dictionary(int line) {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!accept("}")) {
            if (!keys.isEmpty()) {
                expectOperator(",");
                if (accept("}")) break;
            }
            keys.add(expression());
            expectOperator(":");
            values.add(expression());
        }
        return new Expression.Dictionary(keys, values, line);
    }

    private Expression postfix(Expression start) {
        Expression value = start;
        while (true) {
            Token token = peek();
            if (accept(".")) {
                Token attribute = take();
                value = switch (attribute.kind()) {
                    case NAME -> new Expression.Attribute(value, attribute.text(), token.line());
                    case INTEGER ->
                        new Expression.Index(
                                value,
                                new Expression.Literal(
                                        Python.whole(new BigInteger(attribute.text())), attribute.line()),
                                token.line());
                    default -> throw unexpected(attribute);
                };
            } else if (accept("[")) {
                value = subscript(value, token.line());
            } else if (accept("(")) {
                value = new Expression.Call(value, arguments(), token.line());
            } else {
                return value;
            }
        }
    }

    private Expression subscript(Expression of, int line) {
        Expression from = peek().isOperator(":") ? null : expression();
        if (accept("]")) {
            if (from == null) throw unexpected(peek());
            return new Expression.Index(of, from, line);
        }
        expectOperator(":");
        Expression to = peek().isOperator("]") || peek().isOperator(":") ? null : expression();
        Expression step = null;
        if (accept(":") && !peek().isOperator("]")) step = expression();
        expectOperator("]");
        return new Expression.Slice(of, from, to, step, line);
    }

    /** After the opening parenthesis, up to and with the closing one. */
    private Arguments arguments() {
        List<Expression> values = new ArrayList<>();
        List<String> names = new ArrayList<>();
        while (!accept(")")) {
            if (!values.isEmpty()) {
                expectOperator(",");
                if (accept(")")) break;
            }
            if (peek().kind() == Kind.NAME && tokens.get(next + 1).isOperator("=")) {
                names.add(take().text());
                take();
            } else if (!names.isEmpty()) {
                throw JinjaException.at(peek().line(), "an argument without a name comes after one with a name");
            }
            values.add(expression());
        }
        return new Arguments(values, names);
    }

    private Expression filtersAndTests(Expression start) {
        Expression value = start;
        while (true) {
            if (accept("|")) {
                value = filter(value, name());
            } else if (peek().isName("is")) {
                value = test(value);
            } else if (peek().isOperator("(")) {
                int line = take().line();
                value = new Expression.Call(value, arguments(), line);
            } else {
                return value;
            }
        }
    }

    private Expression filter(@Nullable Expression of, String first) {
        StringBuilder name = new StringBuilder(first);
        while (accept(".")) name.append('.').append(name());
        int line = peek().line();
        return new Expression.Filter(of, name.toString(), accept("(") ? arguments() : Arguments.NONE, line);
    }

    /** The filters of a filter or set block, the first of which takes the block's text. */
    private Expression filters(@Nullable Expression of, String first) {
        Expression value = filter(of, first);
        while (accept("|")) value = filter(value, name());
        return value;
    }

    private Expression test(Expression of) {
        int line = take().line();
        boolean not = peek().isName("not");
        if (not) take();
        Token name = take();
        if (name.kind() != Kind.NAME) throw unexpected(name);
        Arguments arguments = Arguments.NONE;
        Token token = peek();
        if (accept("(")) {
            arguments = arguments();
        } else if (startsArgument(token)) {
            deeper();
            arguments = new Arguments(List.of(postfix(primary())), List.of());
            depth--;
        }
        Expression test = new Expression.Test(of, name.text(), arguments, line);
        return not ? new Expression.Not(test, line) : test;
    }

    private static boolean startsArgument(Token token) {
        return switch (token.kind()) {
            case STRING, INTEGER, FLOAT -> true;
            case NAME ->
                !Set.of("else", "or", "and", "if", "is", "not", "in", "recursive")
                        .contains(token.text());
            case OPERATOR -> token.text().equals("[") || token.text().equals("{");
            default -> false;
        };
    }

    private void deeper() {
        if (++depth > DEEPEST) {
            throw JinjaException.at(peek().line(), "it nests deeper than " + DEEPEST);
        }
    }

    private Token peek() {
        return tokens.get(next);
    }

    private Token take() {
        Token token = tokens.get(next);
        if (token.kind() != Kind.END) next++;
        return token;
    }

    private boolean accept(String operator) {
        if (!peek().isOperator(operator)) return false;
        next++;
        return true;
    }

    private void expectOperator(String operator) {
        if (!accept(operator)) {
            throw JinjaException.at(peek().line(), "'" + operator + "' is expected, not " + peek().shown());
        }
    }

    private void expect(Kind kind) {
        Token token = take();
        if (token.kind() != kind) throw unexpected(token);
    }

    private String name() {
        Token token = take();
        if (token.kind() != Kind.NAME) throw unexpected(token);
        return token.text();
    }

    private JinjaException unexpected(Token token) {
        return JinjaException.at(token.line(), "unexpected " + token.shown());
    }
}
