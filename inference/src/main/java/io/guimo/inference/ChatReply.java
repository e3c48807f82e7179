package io.guimo.inference;

/**
 * An upstream's whole answer. The body is not copied: whoever receives it owns it.
 *
 * @param status      HTTP status of the upstream
 * @param contentType as the upstream sent it
 * @param usage       tokens that the upstream reported; zeros when it reported none
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared: a copy per answer would only cost
public record ChatReply(int status, String contentType, byte[] body, ChatUsage usage) {
    public boolean succeeded() {
        return status / 100 == 2;
    }
}
