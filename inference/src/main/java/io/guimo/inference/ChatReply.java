package io.guimo.inference;

/**
 * An upstream's whole answer. The body is not copied: whoever receives it owns it.
 *
 * @param status      HTTP status of the upstream
 * @param contentType as the upstream sent it
 * @param usage       tokens to be billed: by our own count where there is one, else what the upstream reported; zeros when it reported none
 * @param servedBy    the model that answered in place of the one that was asked; empty when that one did
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared: a copy per answer would only cost
public record ChatReply(int status, String contentType, byte[] body, ChatUsage usage, String servedBy) {
    /** An answer of the model that was asked. */
    public ChatReply(int status, String contentType, byte[] body, ChatUsage usage) {
        this(status, contentType, body, usage, "");
    }

    ChatReply servedBy(String model) {
        return new ChatReply(status, contentType, body, usage, model);
    }

    public boolean succeeded() {
        return status / 100 == 2;
    }
}
