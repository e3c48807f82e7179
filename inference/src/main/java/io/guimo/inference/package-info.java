/**
 * Engines that run a packaged model, and the host that holds them.
 *
 * <p>Read {@link io.guimo.inference.HostedModel} first: the closed set of what can be hosted, then {@link io.guimo.inference.ModelHost}, which
 * loads signed packages, says who sees which model and replaces a model when another version is promoted.
 *
 * <p>Owns no stored state: packages and promotion belong to {@code registry}, money to {@code commerce}, HTTP to {@code serve}.
 *
 * <p>Invariants: nothing is loaded that was not verified, unless the host was opened so explicitly; every queue is bounded, and a full one refuses
 * with the time after which to try again; an answer does not depend on what else shares its batch; closing an engine answers what it accepted.
 */
@NullMarked
package io.guimo.inference;

import org.jspecify.annotations.NullMarked;
