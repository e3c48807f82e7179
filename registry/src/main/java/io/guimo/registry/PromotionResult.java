package io.guimo.registry;

/** What came of the wish to promote a version. */
public sealed interface PromotionResult
        permits PromotionResult.Promoted, PromotionResult.GateFailed, PromotionResult.UnknownVersion {
    /** @param changed false when this version served already; nothing was recorded then */
    record Promoted(ModelVersion version, boolean changed) implements PromotionResult {}

    /** The gate did not pass; the version before it goes on serving. */
    record GateFailed(GateResult result) implements PromotionResult {}

    record UnknownVersion(String message) implements PromotionResult {}
}
