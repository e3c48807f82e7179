package io.guimo.launch;

import io.guimo.commerce.price.PlanSettings;
import io.guimo.data.DataSettings;
import io.guimo.economics.CostSettings;
import java.time.DateTimeException;
import java.time.ZoneId;
import java.util.Currency;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A business as its file describes it.
 *
 * @param business its name, as printed on invoices
 * @param currency of its prices
 * @param zone time zone of its billing months; UTC if absent
 * @param data data sets by name
 * @param models by the name that customers call
 * @param plans price lists
 * @param costs what running costs
 * @param demonstration the customer that {@code up} plays once; none if absent
 */
record Business(
        String business,
        Currency currency,
        @Nullable String zone,
        @Nullable Map<String, DataSettings> data,
        Map<String, ModelSettings> models,
        List<PlanSettings> plans,
        CostSettings costs,
        @Nullable DemonstrationSettings demonstration) {
    /** Model names travel in addresses and on invoices. */
    private static final String MODEL_NAME = "[a-z0-9][a-z0-9._-]{0,62}";

    Business {
        if (data == null) data = Map.of();
        if (models.isEmpty())
            throw new IllegalArgumentException("models is empty: a business sells at least one model");
        for (String name : models.keySet()) {
            if (!name.matches(MODEL_NAME)) {
                throw new IllegalArgumentException("models has '" + name
                        + "': a name has 1 to 63 of the characters a-z 0-9 . _ - and begins with a letter or digit");
            }
        }
        if (zone != null) {
            try {
                ZoneId.of(zone);
            } catch (DateTimeException e) {
                throw new IllegalArgumentException(
                        "zone '" + zone + "' is not a time zone such as Asia/Shanghai or UTC", e);
            }
        }
    }

    /** Empty where none was given. */
    @Override
    @SuppressWarnings("NullAway") // the compact constructor filled it in
    public Map<String, DataSettings> data() {
        return data;
    }

    ZoneId zoneId() {
        return ZoneId.of(zone == null ? "UTC" : zone);
    }
}
