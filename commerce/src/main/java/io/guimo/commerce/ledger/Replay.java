package io.guimo.commerce.ledger;

import io.guimo.units.Money;
import java.util.List;

/**
 * A receipt computed again from the counts and the price version.
 *
 * @param amount what it comes to
 * @param differences from what is stored, in words; empty where the receipt is right
 */
public record Replay(Money amount, List<String> differences) {
    public Replay {
        differences = List.copyOf(differences);
    }

    public boolean agrees() {
        return differences.isEmpty();
    }
}
