package io.guimo.commerce;

import java.util.Arrays;
import java.util.Objects;

/**
 * The answer to a command, kept beside its {@link IdempotencyKey}.
 *
 * @param status HTTP status
 * @param bytes body; above {@link #LARGEST_KEPT} only the receipt is kept
 */
@SuppressWarnings("ArrayRecordComponent") // copied on the way in and out, compared by content
public record StoredAnswer(int status, String contentType, byte[] bytes) {
    /** Largest body that is kept, in bytes. */
    public static final int LARGEST_KEPT = 1 << 20;

    public StoredAnswer {
        bytes = bytes.clone();
    }

    @Override
    public byte[] bytes() {
        return bytes.clone();
    }

    /** Length of the body in bytes. */
    public int size() {
        return bytes.length;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof StoredAnswer that
                && status == that.status
                && contentType.equals(that.contentType)
                && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Objects.hash(status, contentType, Arrays.hashCode(bytes));
    }

    @Override
    public String toString() {
        return "StoredAnswer[" + status + " " + contentType + ", " + bytes.length + " bytes]";
    }
}
