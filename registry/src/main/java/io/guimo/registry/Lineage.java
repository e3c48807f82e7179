package io.guimo.registry;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a version came from.
 *
 * @param run              null for a model taken as it is
 * @param dataFingerprints SHA-256 of each data set by name
 * @param promotions       when and why this version served
 */
public record Lineage(
        ModelVersion version,
        @Nullable RunRecord run,
        Map<String, String> dataFingerprints,
        List<Promotion> promotions) {
    public Lineage {
        dataFingerprints = Map.copyOf(dataFingerprints);
        promotions = List.copyOf(promotions);
    }
}
