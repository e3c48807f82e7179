package io.guimo.registry;

import java.time.Instant;

/**
 * One version of a named model. Never changed once registered.
 *
 * @param version       1, 2, 3 … without gaps within a model
 * @param packageDigest identity of its package in the {@link PackageStore}
 * @param manifest      what the package said when it was registered
 * @param promoted      whether this is the version that serves
 */
public record ModelVersion(
        ModelOwner owner,
        String model,
        int version,
        String packageDigest,
        Manifest manifest,
        Instant registeredAt,
        boolean promoted) {
    public String task() {
        return manifest.task();
    }
}
