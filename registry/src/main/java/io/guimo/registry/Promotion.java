package io.guimo.registry;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One line of a model's promotion history.
 *
 * @param previousVersion the version that served before; null for the first
 */
public record Promotion(
        ModelOwner owner,
        String model,
        int version,
        @Nullable Integer previousVersion,
        PromotionGround ground,
        Instant promotedAt) {}
