package io.guimo.registry;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One version of a named model. Never changed once registered.
 *
 * @param version       1, 2, 3 … without gaps within a model
 * @param packageDigest identity of its package in the {@link PackageStore}
 * @param runId         the training run; null for a model taken as it is
 * @param promoted      whether this is the version that serves
 */
public record ModelVersion(
        ModelOwner owner,
        String model,
        int version,
        String task,
        String packageDigest,
        @Nullable String runId,
        Instant registeredAt,
        boolean promoted) {}
