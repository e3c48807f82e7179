package io.guimo.registry;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a version came from and when it served. The data it was made from stands in the version's manifest.
 *
 * @param run        null for a model taken as it is, or trained elsewhere
 * @param base       versions known here whose package this one was adapted from; empty for a model that was not adapted
 * @param promotions when and why this version served, the first first
 */
public record Lineage(
        ModelVersion version, @Nullable RunRecord run, List<ModelVersion> base, List<Promotion> promotions) {
    public Lineage {
        base = List.copyOf(base);
        promotions = List.copyOf(promotions);
    }
}
