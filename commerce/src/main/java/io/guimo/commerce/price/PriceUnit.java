package io.guimo.commerce.price;

import io.guimo.units.Meter;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a price is for, as people write it: {@code image}, {@code request}, {@code 1000 images}, {@code 1K tokens}, {@code 1M tokens}.
 *
 * @param kind what is counted
 * @param count how many of them the price pays for, 1 to 10^9
 */
record PriceUnit(Kind kind, long count) {
    private static final Pattern FORM = Pattern.compile("(?:(\\d{1,9})([KM])? )?(image|request|token)s?");
    private static final long MOST = 1_000_000_000;

    enum Kind {
        IMAGE(Meter.IMAGES),
        REQUEST(Meter.REQUESTS),
        TOKEN(Meter.INPUT_TOKENS);

        private final Meter meter;

        Kind(Meter meter) {
            this.meter = meter;
        }

        /** The meter that a single price of this kind is for: of tokens, those that are read. */
        Meter meter() {
            return meter;
        }
    }

    static PriceUnit parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) throw refused(text);
        long count = form.group(1) == null ? 1 : Long.parseLong(form.group(1));
        if (form.group(2) != null) count *= form.group(2).equals("K") ? 1_000 : 1_000_000;
        if (count < 1 || count > MOST) throw refused(text);
        Kind kind =
                switch (form.group(3)) {
                    case "image" -> Kind.IMAGE;
                    case "request" -> Kind.REQUEST;
                    default -> Kind.TOKEN;
                };
        return new PriceUnit(kind, count);
    }

    private static IllegalArgumentException refused(String text) {
        return new IllegalArgumentException("per: \"" + text
                + "\" is no unit of price; write image, request, 1000 images, 1000 requests, 1K tokens or 1M tokens (at most "
                + MOST + " at once)");
    }
}
