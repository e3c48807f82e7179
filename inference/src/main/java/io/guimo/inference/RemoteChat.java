package io.guimo.inference;

/**
 * A chat model behind any server that speaks OpenAI's chat completions. Bodies are forwarded as they are, but for the model's name, which is
 * translated on both ways, a limit of tokens where there is none and, in a stream, the request for usage.
 */
public non-sealed interface RemoteChat extends HostedModel {
    /**
     * Forwards a request that does not stream.
     *
     * @param body JSON of a chat completion request, UTF-8, already validated
     * @return the upstream's answer, whatever its status
     * @throws Overloaded     all connections are in use and the queue for them is full
     * @throws UpstreamBusy   no upstream takes requests at the moment
     * @throws UpstreamFailed no whole answer came within the time limit
     * @throws EngineClosed   the engine is closing
     */
    ChatReply complete(byte[] body);

    /**
     * Forwards a request with {@code "stream": true} and hands on each event as it arrives, on the calling thread.
     *
     * @return how the stream ended and what it used
     * @throws Overloaded     as {@link #complete}
     * @throws UpstreamBusy   as {@link #complete}
     * @throws UpstreamFailed the upstream could not be reached or broke off; chunks handed over before stay valid
     * @throws EngineClosed   as {@link #complete}
     */
    ChatStreamEnd stream(byte[] body, ChunkListener listener);

    /** The most output tokens that a request without a limit of its own can cost; written into the forwarded request. */
    int maxOutputTokens();

    /** How it does beside what was used of it. */
    default RemoteState state() {
        return RemoteState.NONE;
    }

    /** Receives a stream. */
    @FunctionalInterface
    interface ChunkListener {
        /** Another model answers in place of the one that was asked; called before the first chunk. */
        default void servedBy(String model) {}

        /**
         * @param data the payload of one server-sent event without {@code data: } and line end; never {@code [DONE]}
         * @return false to end the stream: the upstream's connection is closed, which cancels its work
         */
        boolean chunk(byte[] data);
    }
}
