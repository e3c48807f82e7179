package io.guimo.commerce.price;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a stream costs that its customer left before the end. A plan states it, each version of a price freezes it. A stream that fails by our own
 * fault is charged as {@link Delivered} under any policy.
 */
public sealed interface AbortPolicy {
    /** What a plan says that says nothing. */
    AbortPolicy STANDARD = new Delivered();

    /** The prompt and what reached the customer; nothing where that is nothing. */
    record Delivered() implements AbortPolicy {
        @Override
        public String text() {
            return "delivered";
        }
    }

    /** The prompt and what was computed for the customer, as far as money was held for it; nothing before the first token. */
    record Computed() implements AbortPolicy {
        @Override
        public String text() {
            return "computed";
        }
    }

    /**
     * Nothing where fewer tokens of the answer reached the customer than this; otherwise as {@link Delivered}.
     *
     * @param tokens at least 1
     */
    record NothingUnder(long tokens) implements AbortPolicy {
        private static final long MOST = 1_000_000_000;
        private static final Pattern FORM = Pattern.compile("nothing under (\\d{1,10}) tokens?");

        public NothingUnder {
            if (tokens < 1 || tokens > MOST) {
                throw new IllegalArgumentException(
                        "aborts: nothing under " + tokens + " tokens; write 1 to " + MOST + " tokens");
            }
        }

        private static NothingUnder parse(String text) {
            Matcher form = FORM.matcher(text);
            if (form.matches()) return new NothingUnder(Long.parseLong(form.group(1)));
            throw new IllegalArgumentException(
                    "aborts: \"" + text
                            + "\" is no policy for streams that are left; write delivered, computed, or nothing under 20 tokens");
        }

        @Override
        public String text() {
            return "nothing under " + tokens + " tokens";
        }
    }

    /** As people write it; {@link #parse} reads it. */
    String text();

    /** @throws IllegalArgumentException if it is none of {@code delivered}, {@code computed} and {@code nothing under 20 tokens} */
    static AbortPolicy parse(String text) {
        return switch (text) {
            case "delivered" -> new Delivered();
            case "computed" -> new Computed();
            default -> NothingUnder.parse(text);
        };
    }
}
