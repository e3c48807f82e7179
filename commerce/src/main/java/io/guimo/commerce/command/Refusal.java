package io.guimo.commerce.command;

/** Why a command was not done. The names are stable: callers act on them. None of them changes by trying again. */
public enum Refusal {
    /** The caller's key was used before for a command with other content. */
    IDEMPOTENCY_MISMATCH,
    /** What the command names is not there, or belongs to somebody else. */
    NOT_FOUND,
    /** The organisation's clock follows the world's, or was to be turned back. */
    CLOCK_NOT_TURNED,
    /** The price would change what was already sold. */
    PRICE_IN_THE_PAST,
    /** Amounts of two currencies would meet. */
    CURRENCY_MISMATCH
}
