/**
 * Who, how much, at what price, the money, the document.
 *
 * <p>{@link io.guimo.commerce.Commerce} opens all of it on a database. Read {@link io.guimo.commerce.Till} first: authorise, settle, release. A caller's command goes to a {@code Lane}, whose {@code Teller}
 * decides it against {@code Wallet}s in memory; {@code Changes} are the rows that one batch writes. {@code Barrier} makes settles durable,
 * {@code Leases} end what dead servers had reserved.
 *
 * <p>Owns the tables {@code usage_counter}, {@code reservation}, {@code lease} and {@code request_key}; with its packages {@code meter} the
 * {@code usage_…} and with {@code ledger} the wallets and postings, all in {@code V1xx} of the migrations.
 *
 * <p>Invariants: what a wallet has left is never less than what open reservations can cost together; a request is counted once; a settle that
 * was answered is on the disk; an event, its entry, its counter and the end of its reservation are one transaction.
 *
 * <p>Elsewhere: organisations and keys ({@code account}), amounts ({@code price}), documents ({@code invoice}), HTTP ({@code serve}).
 */
@NullMarked
package io.guimo.commerce;

import org.jspecify.annotations.NullMarked;
