package io.guimo.commerce.meter;

import io.guimo.units.OrganizationId;
import io.guimo.units.TimeWindow;
import java.util.Optional;

/**
 * Which usage is asked for.
 *
 * @param organization empty for that of all, which only the operator may see
 * @param product empty for all
 * @param used window of {@link UsageEvent#usedAt}; empty for all time
 */
public record UsageFilter(Optional<OrganizationId> organization, Optional<String> product, Optional<TimeWindow> used) {
    public static UsageFilter of(OrganizationId organization) {
        return new UsageFilter(Optional.of(organization), Optional.empty(), Optional.empty());
    }

    public static UsageFilter all() {
        return new UsageFilter(Optional.empty(), Optional.empty(), Optional.empty());
    }
}
