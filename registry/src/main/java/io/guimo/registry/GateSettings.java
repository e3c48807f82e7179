package io.guimo.registry;

import io.guimo.units.NearestName;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a model must reach before it is promoted. In a business file a map: {@code {accuracy: ">= 0.92", beats: baseline}}.
 *
 * @param bounds        one per metric
 * @param beatsBaseline whether every comparison with a baseline must be won
 */
public record GateSettings(List<Bound> bounds, boolean beatsBaseline) {
    /** Asks for nothing. */
    public static final GateSettings NONE = new GateSettings(List.of(), false);

    private static final Pattern BOUND =
            Pattern.compile("\\s*(>=|<=|>|<)\\s*([-+]?[0-9]*\\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\\s*");

    /** How a value is compared with its threshold. */
    public enum Relation {
        AT_LEAST(">="),
        AT_MOST("<="),
        MORE_THAN(">"),
        LESS_THAN("<");

        private final String sign;

        Relation(String sign) {
            this.sign = sign;
        }

        public String sign() {
            return sign;
        }

        /** False for NaN on either side. */
        boolean holds(double value, double threshold) {
            return switch (this) {
                case AT_LEAST -> value >= threshold;
                case AT_MOST -> value <= threshold;
                case MORE_THAN -> value > threshold;
                case LESS_THAN -> value < threshold;
            };
        }
    }

    public record Bound(String metric, Relation relation, double threshold) {
        public Bound {
            if (!Double.isFinite(threshold)) {
                throw new IllegalArgumentException(
                        "the gate's threshold for " + metric + " is " + threshold + "; give a finite number");
            }
        }
    }

    public GateSettings {
        bounds = List.copyOf(bounds);
    }

    /**
     * Reads the map of a business file.
     *
     * @param rules metric to {@code ">= number"} (also {@code <=}, {@code >}, {@code <}); the key {@code beats} with the value {@code baseline}
     * @throws IllegalArgumentException with the value, what is permitted and what to do
     */
    public static GateSettings of(Map<String, String> rules) {
        List<Bound> bounds = new ArrayList<>();
        boolean beats = false;
        for (Map.Entry<String, String> rule : rules.entrySet()) {
            if (rule.getKey().equals("beats")) {
                if (!rule.getValue().equals("baseline")) {
                    throw new IllegalArgumentException("beats: " + Shown.text(rule.getValue())
                            + "; the one permitted value is baseline: write 'beats: baseline' or leave it out");
                }
                beats = true;
            } else {
                bounds.add(bound(rule.getKey(), rule.getValue()));
            }
        }
        return new GateSettings(bounds, beats);
    }

    private static Bound bound(String metric, String text) {
        Matcher matcher = BOUND.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(metric + ": \"" + Shown.text(text)
                    + "\"; write a relation (>=, <=, >, <) and a number, such as " + metric + ": \">= 0.92\"");
        }
        Relation relation = Arrays.stream(Relation.values())
                .filter(r -> r.sign().equals(matcher.group(1)))
                .findFirst()
                .orElseThrow();
        return new Bound(metric, relation, Double.parseDouble(matcher.group(2)));
    }

    /**
     * Refuses a gate that asks for a metric its task does not measure, before hours of training end at it.
     *
     * @throws IllegalArgumentException naming the nearest metric that is measured
     */
    public void requireMeasured(List<String> measured) {
        for (Bound bound : bounds) {
            if (measured.contains(bound.metric())) continue;
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT,
                    "the gate asks for %s, which this task does not measure; it measures %s%s",
                    Shown.text(bound.metric()),
                    String.join(", ", measured),
                    NearestName.of(bound.metric(), measured)
                            .map(n -> "; did you mean " + n + "?")
                            .orElse("")));
        }
    }
}
