package io.guimo.registry;

/** Why a version may serve. */
public sealed interface PromotionGround permits PromotionGround.Gated, PromotionGround.Forced {
    /** The gate decides: promotion happens only if the result passed. */
    record Gated(GateResult result) implements PromotionGround {}

    /**
     * Somebody decided against or without the gate.
     *
     * @param by  who, such as {@code owner} or a user's name
     * @param why for those who read the history later
     */
    record Forced(String by, String why) implements PromotionGround {
        public Forced {
            if (by.isBlank() || why.isBlank()) {
                throw new IllegalArgumentException(
                        "a forced promotion needs who and why; got by='" + by + "', why='" + why + "'");
            }
        }
    }
}
