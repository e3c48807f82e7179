package io.guimo.text.jinja;

import io.guimo.text.jinja.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Cuts a template into tokens, with {@code trim_blocks} and {@code lstrip_blocks}: the newline after a block tag or comment is not text, nor are the
 * blanks before one that begins its line. Source: Jinja 3.1, {@code lexer.py}.
 */
final class Lexer {
    private static final String[] OPERATORS = {
        "**", "//", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", ">", "<", "=", ".", ":", "|", ",", ";", "(",
        ")", "[", "]", "{", "}"
    };

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;
    private int lineCountedTo;
    /** Whether the text from here on begins a line. */
    private boolean lineStarts = true;
    /** Whether the tag before ended with a minus sign, so that blanks after it are no text. */
    private boolean stripNext;

    private Lexer(String source) {
        this.source = source;
    }

    static List<Token> tokens(String template) {
        String source = template.replace("\r\n", "\n").replace('\r', '\n');
        if (source.endsWith("\n")) source = source.substring(0, source.length() - 1);
        Lexer lexer = new Lexer(source);
        lexer.run();
        return lexer.tokens;
    }

    private void run() {
        while (at < source.length()) {
            int tag = nextTag();
            if (tag < 0) {
                text(source.substring(at), false);
                at = source.length();
                break;
            }
            char kind = source.charAt(tag + 1);
            char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
            String before = source.substring(at, tag);
            if (kind != '{' && sign != '-' && sign != '+') before = withoutIndent(before);
            text(before, sign == '-');
            at = tag + (sign == '-' || sign == '+' ? 3 : 2);
            switch (kind) {
                case '#' -> comment();
                case '%' -> block();
                default -> print();
            }
        }
        add(Kind.END, "");
    }

    private int nextTag() {
        for (int brace = source.indexOf('{', at); brace >= 0; brace = source.indexOf('{', brace + 1)) {
            if (brace + 1 < source.length() && "{%#".indexOf(source.charAt(brace + 1)) >= 0) return brace;
        }
        return -1;
    }

    private String withoutIndent(String text) {
        int start = text.lastIndexOf('\n') + 1;
        if (start == 0 && !lineStarts) return text;
        return text.substring(start).isBlank() ? text.substring(0, start) : text;
    }

    private void text(String text, boolean stripEnd) {
        String kept = stripNext ? Python.strip(text, null, true, false) : text;
        if (stripEnd) kept = Python.strip(kept, null, false, true);
        if (!kept.isEmpty()) add(Kind.TEXT, kept);
        stripNext = false;
    }

    private void comment() {
        int end = source.indexOf("#}", at);
        if (end < 0) throw JinjaException.at(line(), "a comment has no end");
        boolean keeps = end > at && source.charAt(end - 1) == '+';
        stripNext = end > at && source.charAt(end - 1) == '-';
        at = end + 2;
        endOfBlock(keeps);
    }

    private void block() {
        int begin = at;
        add(Kind.BLOCK_BEGIN, "");
        int first = tokens.size();
        boolean keeps = inside("%}");
        if (tokens.size() == first + 1 && tokens.get(first).isName("raw")) {
            tokens.subList(first - 1, tokens.size()).clear();
            endOfBlock(keeps);
            raw(begin);
            return;
        }
        add(Kind.BLOCK_END, "");
        endOfBlock(keeps);
    }

    /** Text as it stands up to {@code endraw}. */
    private void raw(int begin) {
        java.util.regex.Matcher end = java.util.regex.Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}")
                .matcher(source);
        if (!end.find(at)) throw JinjaException.at(lineOf(begin), "raw has no endraw");
        String inner = source.substring(at, end.start());
        if (end.group(1).isEmpty()) inner = withoutIndent(inner);
        text(inner, end.group(1).equals("-"));
        at = end.end();
        stripNext = end.group(2).equals("-");
        endOfBlock(end.group(2).equals("+"));
    }

    private void print() {
        add(Kind.PRINT_BEGIN, "");
        inside("}}");
        add(Kind.PRINT_END, "");
        lineStarts = false;
    }

    private void endOfBlock(boolean keepsNewline) {
        lineStarts = false;
        if (stripNext) {
            int text = at;
            while (text < source.length() && Character.isWhitespace(source.charAt(text))) text++;
            lineStarts = text > at && source.charAt(text - 1) == '\n';
        } else if (!keepsNewline && at < source.length() && source.charAt(at) == '\n') {
            at++;
            lineStarts = true;
        }
    }

    /** Reads a tag up to its end; tells whether that was a plus sign's. */
    private boolean inside(String end) {
        int began = at;
        Deque<Character> open = new ArrayDeque<>();
        while (true) {
            while (at < source.length() && Character.isWhitespace(source.charAt(at))) at++;
            if (at >= source.length()) throw JinjaException.at(lineOf(began), "a tag has no end");
            if (open.isEmpty()) {
                if (source.startsWith(end, at)) {
                    at += 2;
                    return false;
                }
                char sign = source.charAt(at);
                if ((sign == '-' || (sign == '+' && end.equals("%}"))) && source.startsWith(end, at + 1)) {
                    at += 3;
                    stripNext = sign == '-';
                    return sign == '+';
                }
            }
            char c = source.charAt(at);
            if (c == '"' || c == '\'') string(c);
            else if (c >= '0' && c <= '9') number();
            else if (Character.isUnicodeIdentifierStart(c) || c == '_') name();
            else operator(open);
        }
    }

    private void string(char quote) {
        int end = at + 1;
        while (end < source.length() && source.charAt(end) != quote) end += source.charAt(end) == '\\' ? 2 : 1;
        if (end >= source.length()) throw JinjaException.at(line(), "a string has no end");
        add(Kind.STRING, unescaped(source.substring(at + 1, end)));
        at = end + 1;
    }

    private String unescaped(String literal) {
        if (literal.indexOf('\\') < 0) return literal;
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < literal.length(); i++) {
            char c = literal.charAt(i);
            if (c != '\\' || i + 1 == literal.length()) {
                text.append(c);
                continue;
            }
            char escape = literal.charAt(++i);
            switch (escape) {
                case 'n' -> text.append('\n');
                case 't' -> text.append('\t');
                case 'r' -> text.append('\r');
                case 'b' -> text.append('\b');
                case 'f' -> text.append('\f');
                case 'a' -> text.append('\u0007');
                case 'v' -> text.append('\u000b');
                case '0' -> text.append('\0');
                case '\n' -> {}
                case '\\', '\'', '"' -> text.append(escape);
                case 'x' -> i = hex(literal, i, 2, text);
                case 'u' -> i = hex(literal, i, 4, text);
                case 'U' -> i = hex(literal, i, 8, text);
                default -> text.append('\\').append(escape);
            }
        }
        return text.toString();
    }

    private int hex(String literal, int at, int digits, StringBuilder text) {
        try {
            int point = Integer.parseUnsignedInt(literal.substring(at + 1, at + 1 + digits), 16);
            text.appendCodePoint(point);
            return at + digits;
        } catch (IndexOutOfBoundsException | IllegalArgumentException malformed) {
            throw JinjaException.at(line(), "the string '" + literal + "' has a malformed escape");
        }
    }

    private void number() {
        int end = at;
        while (end < source.length() && isDigit(end)) end++;
        boolean real = false;
        if (end + 1 < source.length() && source.charAt(end) == '.' && isDigit(end + 1)) {
            real = true;
            end++;
            while (end < source.length() && isDigit(end)) end++;
        }
        if (end < source.length() && (source.charAt(end) == 'e' || source.charAt(end) == 'E')) {
            int power = end + 1;
            if (power < source.length() && (source.charAt(power) == '-' || source.charAt(power) == '+')) power++;
            if (power < source.length() && isDigit(power)) {
                real = true;
                end = power;
                while (end < source.length() && isDigit(end)) end++;
            }
        }
        add(real ? Kind.FLOAT : Kind.INTEGER, source.substring(at, end).replace("_", ""));
        at = end;
    }

    private boolean isDigit(int index) {
        char c = source.charAt(index);
        return (c >= '0' && c <= '9') || (c == '_' && index > at);
    }

    private void name() {
        int end = at + 1;
        while (end < source.length() && Character.isUnicodeIdentifierPart(source.charAt(end))) end++;
        add(Kind.NAME, source.substring(at, end));
        at = end;
    }

    private void operator(Deque<Character> open) {
        for (String operator : OPERATORS) {
            if (!source.startsWith(operator, at)) continue;
            char c = operator.charAt(0);
            if (operator.length() == 1 && "([{".indexOf(c) >= 0) {
                open.push(")]}".charAt("([{".indexOf(c)));
            } else if (operator.length() == 1 && ")]}".indexOf(c) >= 0) {
                if (open.isEmpty() || open.pop() != c) throw JinjaException.at(line(), "'" + c + "' closes nothing");
            }
            add(Kind.OPERATOR, operator);
            at += operator.length();
            return;
        }
        throw JinjaException.at(line(), "unexpected character '" + source.charAt(at) + "'");
    }

    private void add(Kind kind, String text) {
        tokens.add(new Token(kind, text, line()));
    }

    private int line() {
        line = lineOf(at);
        return line;
    }

    /** Counts on from where it was counted to last, so that all lines together are counted once. */
    private int lineOf(int position) {
        int counted = line;
        if (position < lineCountedTo) {
            for (int i = position; i < lineCountedTo; i++) if (source.charAt(i) == '\n') counted--;
            return counted;
        }
        for (int i = lineCountedTo; i < Math.min(position, source.length()); i++) {
            if (source.charAt(i) == '\n') counted++;
        }
        lineCountedTo = Math.min(position, source.length());
        line = counted;
        return counted;
    }
}
