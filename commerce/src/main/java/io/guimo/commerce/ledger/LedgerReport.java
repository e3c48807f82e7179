package io.guimo.commerce.ledger;

import io.guimo.units.Money;
import java.util.Currency;
import java.util.List;
import java.util.Map;

/**
 * Whether the books are right.
 *
 * @param sumByCurrency sum of all postings; zero for each currency
 * @param postings how many there are
 * @param events usage events
 * @param openReservations requests that run now
 * @param problems what does not agree, in words; empty where the books are right
 */
public record LedgerReport(
        Map<Currency, Money> sumByCurrency, long postings, long events, long openReservations, List<String> problems) {
    public LedgerReport {
        sumByCurrency = Map.copyOf(sumByCurrency);
        problems = List.copyOf(problems);
    }

    public boolean isRight() {
        return problems.isEmpty();
    }
}
