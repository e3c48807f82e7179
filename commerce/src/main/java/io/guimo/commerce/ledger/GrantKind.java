package io.guimo.commerce.ledger;

import java.util.Locale;

/** Where the money of a grant comes from. */
public enum GrantKind {
    /** Given away; spent first. */
    PROMOTION(10),
    /** Paid in. */
    CASH(20),
    /** Lent: used now, invoiced later; spent last. What is paid is lent again. */
    CREDIT_LINE(30);

    private final int priority;

    GrantKind(int priority) {
        this.priority = priority;
    }

    /** Lower ones are spent first. */
    public int priority() {
        return priority;
    }

    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static GrantKind ofWireName(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }
}
