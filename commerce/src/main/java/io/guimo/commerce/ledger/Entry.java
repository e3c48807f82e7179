package io.guimo.commerce.ledger;

import io.guimo.units.OrganizationId;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;

/**
 * An entry as it was booked.
 *
 * @param id the id of the usage event, where that is what it books
 * @param kind {@code usage}, or what it was booked as
 * @param reference the request, where it books usage
 */
public record Entry(
        long id,
        OrganizationId organization,
        String kind,
        String reference,
        OptionalLong corrects,
        Instant bookedAt,
        List<Posting> postings) {
    public Entry {
        postings = List.copyOf(postings);
    }

    /** The name of a posting: the entry and its place in it. */
    public String postingId(int index) {
        return id + "-" + (index + 1);
    }
}
