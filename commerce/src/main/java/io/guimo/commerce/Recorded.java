package io.guimo.commerce;

/** What became of usage that was reported afterwards. */
public sealed interface Recorded {
    /** It is counted and charged. */
    record Counted(Settlement settlement) implements Recorded {}

    /** It has no price; nothing was counted. */
    record Unpriced(Refused refusal) implements Recorded {}
}
