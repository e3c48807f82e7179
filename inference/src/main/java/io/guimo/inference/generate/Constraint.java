package io.guimo.inference.generate;

/** What the answer must look like, exactly: a token that cannot lead to it is never drawn. */
public sealed interface Constraint {
    /** Any JSON object. */
    record JsonObject() implements Constraint {}

    /**
     * JSON that validates against a schema (JSON Schema 2020-12, the part that {@code docs/decisions/0120} lists).
     *
     * @param schema JSON text
     */
    record JsonSchema(String schema) implements Constraint {}

    /**
     * Text that a regular expression matches as a whole.
     *
     * @param pattern in the syntax of {@link java.util.regex.Pattern}, without groups that look around or refer back
     */
    record Regex(String pattern) implements Constraint {}

    /**
     * JSON between texts, such as a call of a tool between its marks.
     *
     * @param prefix before the JSON, as it stands
     * @param schema of the JSON, as {@link JsonSchema}'s
     * @param suffix behind it
     * @param separator between one and the next
     * @param most how often this comes; at least once
     */
    record Framed(String prefix, String schema, String suffix, String separator, int most) implements Constraint {
        public Framed {
            if (most < 1) throw new IllegalArgumentException("most is " + most + "; give 1 or more");
        }
    }
}
