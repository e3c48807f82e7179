package io.guimo.inference.constrain;

import io.guimo.inference.InvalidInput;
import io.guimo.inference.generate.Constraint;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Makes a grammar of a JSON Schema: the JSON texts that validate against it, written in one of the ways below.
 *
 * <ul>
 *   <li>Properties come in the order in which the schema declares them, additional ones after them; names hold no needless escapes. Of additional
 *       properties the same name may come twice.
 *   <li>Blanks: none, one space, or a line break and up to 20 spaces, behind brackets and commas, behind colons, and before closing brackets. So a
 *       model can write in lines, but not fill its answer with blanks.
 *   <li>Integers have up to 15 digits, fractions too, exponents up to 2, unless a bound is longer; where there are bounds there is no exponent.
 *   <li>A schema with {@code properties} and no {@code additionalProperties} permits no others; one without {@code type} means the type of which its
 *       keywords speak. Where nothing is said about a value, it nests up to {@value #FREE_DEPTH} deep.
 * </ul>
 */
final class SchemaCompiler {
    private static final int FREE_DEPTH = 16;
    private static final int MOST_OPTIONAL = 1000;
    private static final int MOST_ENUM_BYTES = 50_000;
    private static final int ANY_NUMBER = Integer.MAX_VALUE;

    private static final String CHARACTER = "[^\\x00-\\x1f\"\\\\]|\\\\[\"\\\\/bfnrt]"
            + "|\\\\u(?:[0-9a-cA-CefEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2})"
            + "|\\\\u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}";
    private static final String PLAIN_NAME = "[^\\x00-\\x1f\"\\\\]*";
    private static final String BLANK = "(?: |\\n {0,20})?";

    private final Terms terms;
    private final TokenTrie trie;
    private final Map<String, Dfa> sharedAutomata;
    private final SchemaReader reader;
    private final Map<String, Term> patterns = new HashMap<>();
    private final Map<String, Term> literals = new HashMap<>();
    private final Map<JsonNode, Term> references = new HashMap<>();
    private final @Nullable Term[] freeValues = new Term[FREE_DEPTH + 1];

    /**
     * @param sharedAutomata of one vocabulary, added to
     * @param schema JSON text
     */
    SchemaCompiler(Terms terms, TokenTrie trie, Map<String, Dfa> sharedAutomata, String schema) {
        this.sharedAutomata = sharedAutomata;
        this.terms = terms;
        this.trie = trie;
        reader = new SchemaReader(schema);
    }

    Term compile() {
        return value(reader.root());
    }

    /** The same between texts, once or several times. */
    Term compile(Constraint.Framed framed) {
        Term once = terms.sequence(literal(framed.prefix()), compile(), literal(framed.suffix()));
        Term further = terms.repeat(terms.sequence(literal(framed.separator()), once), 0, framed.most() - 1);
        return terms.sequence(once, further);
    }

    /** An object of anything. */
    Term freeObject() {
        return freeObject(FREE_DEPTH);
    }

    private Term value(JsonNode schema) {
        if (reader.isPlain(schema)) {
            Term choice = terms.nothing;
            for (ObjectNode branch : reader.branches(schema)) choice = terms.choice(choice, flat(branch));
            return choice;
        }
        // What refers or combines is compiled once and referred to, which also ends the recursion of a schema that
        // holds itself.
        Term known = references.get(schema);
        if (known != null) return known;
        Term reference = terms.reference();
        references.put(schema, reference);
        List<JsonNode> alternatives = reader.alternatives(schema);
        List<Term> branches = new ArrayList<>();
        if (alternatives.isEmpty()) {
            for (ObjectNode branch : reader.branches(schema)) branches.add(flat(branch));
        } else {
            for (JsonNode alternative : alternatives) branches.add(value(alternative));
        }
        terms.define(reference, terms.choice(branches));
        return reference;
    }

    /** @param schema without references and combinations */
    private Term flat(ObjectNode schema) {
        JsonNode values = schema.get("enum");
        if (values != null) return enumeration(values);
        Term choice = terms.nothing;
        for (String type : reader.types(schema)) {
            Term term =
                    switch (type) {
                        case "null" -> literal("null");
                        case "boolean" -> terms.choice(literal("true"), literal("false"));
                        case "integer" -> number(schema, true);
                        case "number" -> number(schema, false);
                        case "string" -> string(schema);
                        case "array" -> array(schema);
                        case "object" -> object(schema);
                        default -> throw new IllegalStateException(type);
                    };
            choice = terms.choice(choice, term);
        }
        return choice;
    }

    private Term enumeration(JsonNode values) {
        List<byte[]> texts = new ArrayList<>();
        int bytes = 0;
        for (JsonNode value : values) {
            byte[] text = value.toString().getBytes(StandardCharsets.UTF_8);
            texts.add(text);
            bytes += text.length;
        }
        if (bytes > MOST_ENUM_BYTES) {
            throw new InvalidInput(-1, "an enum of the schema has " + bytes + " bytes; give up to " + MOST_ENUM_BYTES);
        }
        return texts.isEmpty() ? terms.nothing : terms.automaton(Dfa.ofStrings(texts, trie), 0);
    }

    private Term number(ObjectNode schema, boolean integer) {
        NumberRange range = NumberRange.of(schema, integer);
        Terms regular = new Terms(ConstraintCompiler.MOST_DERIVATIVES);
        Term framed = regular.both(
                RegexParser.matchesWhole(regular, range.form(), CharacterCode.UTF8),
                regular.both(
                        RegexParser.matchesWhole(regular, range.atLeast(), CharacterCode.UTF8),
                        RegexParser.matchesWhole(regular, range.atMost(), CharacterCode.UTF8)));
        return patterns.computeIfAbsent(
                "number " + range,
                r -> terms.automaton(Dfa.of(regular, framed, trie, ConstraintCompiler.MOST_STATES), 0));
    }

    private Term string(ObjectNode schema) {
        int least = reader.count(schema, "minLength", 0);
        int most = reader.count(schema, "maxLength", ANY_NUMBER);
        List<String> formats = reader.texts(schema, "format").stream()
                .filter(StringFormats.PATTERNS::containsKey)
                .toList();
        List<String> searched = reader.texts(schema, "pattern");
        if (formats.isEmpty() && searched.isEmpty()) {
            return terms.sequence(literal("\""), terms.repeat(pattern(CHARACTER), least, most), literal("\""));
        }
        String key = "string " + least + ' ' + most + ' ' + formats + ' ' + searched;
        Term known = patterns.get(key);
        if (known == null) {
            Terms regular = new Terms(ConstraintCompiler.MOST_DERIVATIVES);
            Term character = CharacterCode.JSON.term(regular, CharacterCode.all());
            Term framed = RegexParser.frame(regular, regular.repeat(character, least, most));
            for (String format : formats) {
                String regex = Objects.requireNonNull(StringFormats.PATTERNS.get(format));
                framed = regular.both(framed, RegexParser.matchesWhole(regular, regex, CharacterCode.JSON));
            }
            for (String regex : searched) {
                framed = regular.both(framed, RegexParser.matchesWithin(regular, regex, CharacterCode.JSON));
            }
            known = terms.automaton(Dfa.of(regular, framed, trie, ConstraintCompiler.MOST_STATES), 0);
            patterns.put(key, known);
        }
        return terms.sequence(literal("\""), known, literal("\""));
    }

    private Term array(ObjectNode schema) {
        int least = reader.count(schema, "minItems", 0);
        int most = reader.count(schema, "maxItems", ANY_NUMBER);
        List<Term> first = new ArrayList<>();
        for (JsonNode item : reader.list(schema, "prefixItems")) first.add(value(item));
        JsonNode items = schema.get("items");
        return array(first, items == null ? freeValue(FREE_DEPTH - 1) : value(items), least, most);
    }

    private Term array(List<Term> first, Term further, int least, int most) {
        Term comma = pattern("," + BLANK);
        Term close = pattern(BLANK + "\\]");
        int positions = Math.min(first.size(), most);
        // Backwards: what may follow when so many items stand.
        Term rest = close;
        if (most >= first.size()) {
            int more = most == ANY_NUMBER ? ANY_NUMBER : most - first.size();
            Term repeated = first.isEmpty()
                    ? terms.nothing
                    : terms.repeat(terms.sequence(comma, further), Math.max(0, least - first.size()), more);
            rest = terms.sequence(repeated, close);
        }
        for (int i = positions - 1; i > 0; i--) {
            Term withNext = terms.sequence(comma, first.get(i), rest);
            rest = i >= least ? terms.choice(close, withNext) : withNext;
        }
        Term some = terms.nothing;
        if (positions > 0) {
            some = terms.sequence(first.get(0), rest);
        } else if (first.isEmpty() && most > 0) {
            int more = most == ANY_NUMBER ? ANY_NUMBER : most - 1;
            some = terms.sequence(
                    further, terms.repeat(terms.sequence(comma, further), Math.max(0, least - 1), more), close);
        }
        Term content = terms.sequence(pattern(BLANK), some);
        return terms.sequence(literal("["), least == 0 ? terms.choice(pattern(BLANK + "\\]"), content) : content);
    }

    private record Property(Term pair, boolean required) {}

    private Term object(ObjectNode schema) {
        Set<String> required = new LinkedHashSet<>(reader.texts(schema, "required"));
        JsonNode declared = schema.get("properties");
        JsonNode additional = schema.get("additionalProperties");
        Set<String> names = new LinkedHashSet<>();
        List<Property> properties = new ArrayList<>();
        if (declared != null) {
            for (Map.Entry<String, JsonNode> property : declared.properties()) {
                names.add(property.getKey());
                properties.add(property(property.getKey(), value(property.getValue()), required));
            }
        }
        boolean closed = additional == null && !names.isEmpty();
        Term further = closed ? terms.nothing : additional == null ? freeValue(FREE_DEPTH - 1) : value(additional);
        for (String name : required) {
            if (!names.add(name)) continue;
            properties.add(property(name, additional == null ? freeValue(FREE_DEPTH - 1) : further, required));
        }
        long optional = properties.stream().filter(p -> !p.required()).count();
        if (optional > MOST_OPTIONAL) {
            throw new InvalidInput(
                    -1,
                    "an object of the schema has " + optional + " properties that are not required; give up to "
                            + MOST_OPTIONAL);
        }

        int least = reader.count(schema, "minProperties", 0);
        int most = reader.count(schema, "maxProperties", ANY_NUMBER);
        int fewest = properties.size() - (int) optional;
        if (further == terms.nothing && most >= properties.size()) most = ANY_NUMBER;
        if (least <= fewest) least = 0;
        // Two additional properties can have one name, so that a minimum above 1 can't be kept.
        if (least > 1 || ((least > 0 || most != ANY_NUMBER) && !properties.isEmpty())) {
            throw new InvalidInput(
                    -1,
                    "the schema counts properties (minProperties or maxProperties) in a way that is not supported: name them in required instead");
        }
        return object(
                properties, further == terms.nothing ? terms.nothing : pair(otherName(names), further), least, most);
    }

    private Property property(String name, Term value, Set<String> required) {
        return new Property(pair(literal(reader.quoted(name) + ":"), value), required.contains(name));
    }

    private Term pair(Term nameAndColon, Term value) {
        return terms.sequence(nameAndColon, pattern(BLANK), value);
    }

    /** A name of an additional property, which is none of the declared ones. */
    private Term otherName(Set<String> names) {
        if (names.isEmpty()) {
            return terms.sequence(literal("\""), terms.repeat(pattern(CHARACTER), 0, ANY_NUMBER), literal("\":"));
        }
        Term other = patterns.computeIfAbsent("name " + new TreeSet<>(names), n -> {
            Terms regular = new Terms(ConstraintCompiler.MOST_DERIVATIVES);
            List<Term> declared = new ArrayList<>();
            for (String name : names) {
                Term text = regular.empty;
                byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
                for (int i = bytes.length - 1; i >= 0; i--)
                    text = regular.sequence(regular.bytes(ByteSet.of(bytes[i] & 0xff)), text);
                declared.add(text);
            }
            Term framed = regular.both(
                    RegexParser.matchesWhole(regular, PLAIN_NAME, CharacterCode.UTF8),
                    regular.not(RegexParser.frame(regular, regular.choice(declared))));
            return terms.automaton(Dfa.of(regular, framed, trie, ConstraintCompiler.MOST_STATES), 0);
        });
        return terms.sequence(literal("\""), other, literal("\":"));
    }

    /**
     * @param other an additional property, or nothing
     * @param least of additional ones
     * @param most of additional ones
     */
    private Term object(List<Property> properties, Term other, int least, int most) {
        Term comma = pattern("," + BLANK);
        Term close = pattern(BLANK + "\\}");
        int more = most == ANY_NUMBER ? ANY_NUMBER : Math.max(0, most - 1);
        // Backwards: what may follow when a property stands already, and when none does, where no comma may come and
        // one blank has been read.
        Term later = terms.sequence(terms.repeat(terms.sequence(comma, other), 0, most), close);
        Term none = least == 0 ? literal("}") : terms.nothing;
        Term first = most == 0
                ? none
                : terms.choice(
                        none,
                        terms.sequence(
                                other,
                                terms.repeat(terms.sequence(comma, other), Math.max(0, least - 1), more),
                                close));
        for (int i = properties.size() - 1; i >= 0; i--) {
            Property property = properties.get(i);
            Term withFirst = terms.sequence(property.pair(), later);
            Term withLater = terms.sequence(comma, property.pair(), later);
            first = property.required() ? withFirst : terms.choice(withFirst, first);
            later = property.required() ? withLater : terms.choice(withLater, later);
        }
        return terms.sequence(literal("{"), pattern(BLANK), first);
    }

    private Term freeObject(int depth) {
        return object(
                List.of(), depth == 0 ? terms.nothing : pair(otherName(Set.of()), freeValue(depth - 1)), 0, ANY_NUMBER);
    }

    /** Any value that nests so deep at most. */
    private Term freeValue(int depth) {
        Term known = freeValues[depth];
        if (known != null) return known;
        Term reference = terms.reference();
        freeValues[depth] = reference;
        ObjectNode unbounded = reader.empty();
        Term string = terms.sequence(literal("\""), terms.repeat(pattern(CHARACTER), 0, ANY_NUMBER), literal("\""));
        terms.define(
                reference,
                terms.choice(
                        literal("null"),
                        literal("true"),
                        literal("false"),
                        number(unbounded, false),
                        string,
                        array(List.of(), depth == 0 ? terms.nothing : freeValue(depth - 1), 0, ANY_NUMBER),
                        freeObject(depth)));
        return reference;
    }

    private Term literal(String text) {
        if (text.isEmpty()) return terms.empty;
        return literals.computeIfAbsent(
                text, t -> terms.automaton(Dfa.ofStrings(List.of(t.getBytes(StandardCharsets.UTF_8)), trie), 0));
    }

    /** One of the patterns above, whose automata all schemas share. */
    private Term pattern(String regex) {
        Dfa dfa = sharedAutomata.computeIfAbsent(regex, r -> {
            Terms regular = new Terms(ConstraintCompiler.MOST_DERIVATIVES);
            Term framed = RegexParser.matchesWhole(regular, r, CharacterCode.UTF8);
            return Dfa.of(regular, framed, trie, ConstraintCompiler.MOST_STATES);
        });
        return terms.automaton(dfa, 0);
    }
}
