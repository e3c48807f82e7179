package io.guimo.serve.language;

/** Why an answer ended. */
sealed interface Finish {
    /** The model ended it. */
    record Stop() implements Finish {}

    /** A stop string of the request was completed. */
    record StopString(String text) implements Finish {}

    /** The model called tools and waits for their results. */
    record ToolCalls() implements Finish {}

    /** The most tokens that were asked for, that fit the context, or that were paid for. */
    record Length() implements Finish {}

    /** The caller ended it by another request. */
    record Cancelled() implements Finish {}
}
