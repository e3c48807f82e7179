package io.guimo.commerce.ledger;

import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;

/**
 * An entry to be booked.
 *
 * @param kind what happened, such as {@code invoice}
 * @param reference what it is about, such as an invoice's number
 * @param corrects id of the entry that this one corrects
 * @param bookedAt by the organisation's clock
 * @param postings at least two, of one currency, that sum to zero
 */
public record NewEntry(
        OrganizationId organization,
        String kind,
        String reference,
        OptionalLong corrects,
        Instant bookedAt,
        List<Posting> postings) {
    public NewEntry {
        postings = List.copyOf(postings);
        if (postings.size() < 2) {
            throw new IllegalArgumentException("an entry of " + postings.size() + " postings; it needs two or more");
        }
        Money sum = postings.stream().map(Posting::amount).reduce(Money::plus).orElseThrow();
        if (sum.signum() != 0) throw new IllegalArgumentException("postings that sum to " + sum + ", not to zero");
    }

    public static NewEntry of(
            OrganizationId organization, String kind, String reference, Instant bookedAt, Posting... postings) {
        return new NewEntry(organization, kind, reference, OptionalLong.empty(), bookedAt, List.of(postings));
    }
}
