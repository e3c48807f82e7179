/**
 * How something is changed once and becomes known everywhere.
 *
 * <p>Read {@link io.guimo.commerce.command.Commands} first: a command carries its caller's key, so that the same command sent twice is done
 * once. {@link io.guimo.commerce.command.ChangeFeed} brings rarely changed things (keys, organisations, prices) into the memory of every
 * server of the database.
 *
 * <p>Owns the tables {@code command} and the sequence {@code directory_change}. Invariants: a command's effect and its key are stored in
 * one transaction; numbers of the change sequence become visible in their order, so that a follower that has seen one has seen all before.
 *
 * <p>Elsewhere: idempotency of metered requests, whose answers are stored and which can be interrupted ({@code Till}).
 */
@NullMarked
package io.guimo.commerce.command;

import org.jspecify.annotations.NullMarked;
