package io.guimo.commerce;

/** Whether a stream may go on. */
public sealed interface Extension permits Extension.Extended, Refused {
    /** @param reservation takes the place of the one that was extended */
    record Extended(Reservation reservation) implements Extension {}
}
