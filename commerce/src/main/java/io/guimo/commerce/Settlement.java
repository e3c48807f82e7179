package io.guimo.commerce;

import io.guimo.commerce.meter.UsageLine;
import io.guimo.units.Money;
import io.guimo.units.RequestId;
import java.util.List;

/**
 * What a request cost in the end; durable.
 *
 * @param amount sum of the lines; zero where {@link Outcome#WITHHELD}
 * @param lines one for each meter; empty where withheld
 */
public record Settlement(RequestId request, Outcome outcome, Money amount, List<UsageLine> lines) {
    /** How it ended. */
    public enum Outcome {
        /** Charged to the wallet. */
        CHARGED,
        /** Delivered, but the wallet could not pay all of it; the rest was written off. */
        WRITTEN_OFF,
        /** Its reservation was lost and the wallet can no longer pay: nothing is charged, and the answer must not be delivered. */
        WITHHELD
    }

    public Settlement {
        lines = List.copyOf(lines);
    }
}
