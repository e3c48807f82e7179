/**
 * Who: organisations, their projects and the keys that speak for them.
 *
 * <p>Read {@link io.guimo.commerce.account.Caller} first: what a presented secret turns into. An
 * {@link io.guimo.commerce.account.Organization} has a currency, a zone and a clock of its own.
 *
 * <p>Invariants: a secret is shown once and stored only as its SHA-256 digest; a revoked key is refused on every server of the database
 * within a second; every question about an organisation's things names the organisation, and no answer crosses to another one.
 */
@NullMarked
package io.guimo.commerce.account;

import org.jspecify.annotations.NullMarked;
