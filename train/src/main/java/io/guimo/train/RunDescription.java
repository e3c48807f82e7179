package io.guimo.train;

import java.math.BigDecimal;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a run is a run of: stored with it, and compared when it resumes. A run whose description differs in anything but the cost is another run.
 *
 * @param model name in the business file
 * @param configuration effective settings by dotted name, such as {@code architecture.width}: all that decides the result beside the data
 * @param dataFingerprints SHA-256 by data set, of exactly what the problem was built from
 * @param codeVersion version of this program, such as {@code 0.1.0+65eb529}
 * @param costPerHour what an hour of this machine costs, null if nobody said
 * @param currency of the cost, ISO 4217; null with it
 */
public record RunDescription(
        String model,
        Map<String, String> configuration,
        Map<String, String> dataFingerprints,
        String codeVersion,
        @Nullable BigDecimal costPerHour,
        @Nullable String currency) {
    public RunDescription {
        configuration = Collections.unmodifiableMap(new TreeMap<>(configuration));
        dataFingerprints = Collections.unmodifiableMap(new TreeMap<>(dataFingerprints));
        if ((costPerHour == null) != (currency == null)) {
            throw new IllegalArgumentException(
                    "a cost needs its currency and a currency its cost: " + costPerHour + " " + currency);
        }
        if (costPerHour != null && costPerHour.signum() < 0) {
            throw new IllegalArgumentException("costPerHour " + costPerHour + " must be 0 or more");
        }
    }
}
