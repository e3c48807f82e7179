package io.guimo.commerce.ledger;

import java.util.Locale;

/** The operator's accounts. A debit is positive, a credit negative. */
public enum Account {
    /** Money in the bank. */
    CASH,
    /** Invoiced, not yet paid. */
    RECEIVABLE,
    /** Used on a credit line, not yet invoiced. */
    UNBILLED,
    /** What customers have bought or were given and have not yet used: a liability, so its balance is negative. */
    CUSTOMER_CREDIT,
    /** Earned by usage and fees. */
    REVENUE,
    /** Owed to the state. */
    TAX,
    /** Between exact amounts and the rounded lines of invoices. */
    ROUNDING,
    /** Delivered, and not paid. */
    WRITE_OFF,
    /** Spent, promotions included. */
    COST;

    /** The name on the wire and in storage, such as {@code customer_credit}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Account ofWireName(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }
}
