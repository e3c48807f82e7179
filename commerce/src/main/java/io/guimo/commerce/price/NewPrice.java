package io.guimo.commerce.price;

import io.guimo.units.Meter;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * A price to be published.
 *
 * @param plan name of a plan
 * @param product what is sold: 1 to 200 visible ASCII characters
 * @param rules one for each meter that is sold; none to end the sale of the product on this plan
 * @param aborts what a stream costs that is left before its end
 * @param validFrom first instant at which it holds, or empty for now
 */
public record NewPrice(
        String plan, String product, Map<Meter, TierRule> rules, AbortPolicy aborts, Optional<Instant> validFrom) {
    private static final Pattern PRODUCT = Pattern.compile("[\\x21-\\x7e]{1,200}");

    public NewPrice {
        if (!PRODUCT.matcher(product).matches()) {
            throw new IllegalArgumentException("a product name of " + product.length()
                    + " characters; write 1 to 200 visible ASCII characters without blanks");
        }
        // in the order of the meters, so that equal prices are written equally
        rules = Collections.unmodifiableMap(new TreeMap<>(rules));
    }

    /** By the standard policy for streams that are left. */
    public NewPrice(String plan, String product, Map<Meter, TierRule> rules, Optional<Instant> validFrom) {
        this(plan, product, rules, AbortPolicy.STANDARD, validFrom);
    }
}
