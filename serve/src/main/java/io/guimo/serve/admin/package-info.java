/**
 * The owner's API under {@code /admin/v1}, and what a customer sees of its own business under {@code /v1}.
 *
 * <p>Read {@link io.guimo.serve.admin.AdminRoutes} first: all routes, by subject. Each subject's class holds its routes and the shapes that go in
 * and out.
 *
 * <p>Owns no stored state. Invariants: routes below {@code /admin} want the owner's key; every POST is a command with a key, done once; a customer's
 * route names no organisation but takes it from the key.
 */
@NullMarked
package io.guimo.serve.admin;

import org.jspecify.annotations.NullMarked;
