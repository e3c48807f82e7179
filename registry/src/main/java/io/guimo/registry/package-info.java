/**
 * Signed model packages, and the index that says which version of which model is promoted.
 *
 * <p>Read {@link io.guimo.registry.Manifest} first: what a package says of itself. {@link io.guimo.registry.PackageWriter} makes and signs one,
 * {@link io.guimo.registry.PackageStore} keeps the files by their digest and verifies them against {@link io.guimo.registry.TrustedKeys}.
 * The registry is the index in PostgreSQL: names, versions, runs and the history of promotions, each of which passed a
 * {@link io.guimo.registry.Gate} or was forced by somebody for a reason.
 *
 * <p>Owns {@code packages/} and {@code keys/} in the home folder and the schema {@code registry} in the database. How a model is run belongs to
 * {@code inference}; metrics and baselines to {@code evaluate}.
 *
 * <p>Invariants: a package's identity is the SHA-256 of its manifest's exact bytes, and the signature covers those bytes; one flipped bit in any
 * file, in the manifest or in the signature is refused with what differs; trusted keys never come from the package; names, versions and promotion
 * stand only in the database; a version is never changed, and promotion is a history that only grows.
 */
@NullMarked
package io.guimo.registry;

import org.jspecify.annotations.NullMarked;
