package io.guimo.registry;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A model's name and where it stands.
 *
 * @param task            as a business file writes it, such as {@code classify-images}; all its versions have the same
 * @param promotedVersion the version that serves; null before the first promotion
 * @param latestVersion   the number of versions registered
 */
public record RegisteredModel(
        ModelOwner owner,
        String name,
        String task,
        @Nullable Integer promotedVersion,
        int latestVersion,
        Instant createdAt) {}
