/**
 * The money: who holds how much, and where every amount went.
 *
 * <p>Read {@link io.guimo.commerce.ledger.Ledger} first. A wallet is a set of {@link io.guimo.commerce.ledger.Grant}s: money paid in,
 * promotions, and a credit line, so that prepaid and postpaid customers are one mechanism. An entry is a set of postings that sum to zero.
 *
 * <p>Owns the tables {@code wallet}, {@code wallet_grant}, {@code ledger_entry} and {@code posting}. Only grants have a stored balance; every
 * other balance is a sum of postings, so that no row is changed by every request.
 *
 * <p>Invariants: the postings of an entry sum to zero in its currency; what remains of a grant is never less than what is reserved of it;
 * what remains of all money paid in and promised is the balance of {@code customer_credit}; entries are never edited, a correction is a new
 * entry that names the one it corrects.
 */
@NullMarked
package io.guimo.commerce.ledger;

import org.jspecify.annotations.NullMarked;
