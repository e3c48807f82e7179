package io.guimo.inference;

/**
 * How a stream ended.
 *
 * @param status   HTTP status of the upstream; other than 2xx nothing was streamed and {@code refusalBody} holds the answer
 * @param usage    tokens to be billed, as {@link ChatUsage#reported} says by whose count; of a stream that the listener ended it is reported only where
 *                 we count ourselves, and then it is what was handed over
 * @param complete the upstream sent {@code [DONE]}; false when the listener ended the stream
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared: a copy per answer would only cost
public record ChatStreamEnd(int status, boolean complete, ChatUsage usage, String contentType, byte[] refusalBody) {
    public boolean succeeded() {
        return status / 100 == 2;
    }
}
