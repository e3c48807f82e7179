package io.guimo.inference;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What must be known of an answer or of a stream's chunk, found in one walk over its bytes: where the outermost object has the fields {@code model},
 * {@code usage}, {@code choices} and {@code error}. It makes no object for a token, which a stream would pay for with every word; it checks that
 * texts and brackets close, so that half an answer is none, and leaves the rest of JSON's grammar to the client. Used again for the next chunk.
 */
final class ChatScan {
    private static final byte[] MODEL = "\"model\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] USAGE = "\"usage\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] CHOICES = "\"choices\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] ERROR = "\"error\"".getBytes(StandardCharsets.US_ASCII);

    private byte[] json = {};
    private int end;
    private int modelFrom;
    private int modelTo;
    private int usageFrom;
    private boolean choices;
    private boolean noChoices;
    private boolean error;

    /** @return whether these bytes are one JSON object, as far as this looks */
    boolean read(byte[] bytes, int from, int to) {
        json = bytes;
        end = to;
        modelFrom = -1;
        usageFrom = -1;
        choices = false;
        noChoices = false;
        error = false;
        int at = blank(from);
        if (at >= end || json[at] != '{') return false;
        int depth = 0;
        while (at < end) {
            switch (json[at]) {
                case '{', '[' -> {
                    depth++;
                    at++;
                }
                case '}', ']' -> {
                    at++;
                    if (--depth == 0) return blank(at) == end;
                }
                case '"' -> {
                    int after = afterText(at);
                    if (after < 0) return false;
                    at = depth == 1 ? field(at, after) : after;
                }
                default -> at++;
            }
        }
        return false;
    }

    /** @return where to go on behind a text of the outermost object, which is a field's name if a colon follows */
    private int field(int from, int after) {
        int colon = blank(after);
        if (colon >= end || json[colon] != ':') return after;
        int value = blank(colon + 1);
        if (value >= end) return value;
        if (is(MODEL, from, after) && json[value] == '"') {
            int to = afterText(value);
            if (to < 0) return end;
            modelFrom = value;
            modelTo = to;
            return to;
        }
        if (is(USAGE, from, after)) {
            usageFrom = json[value] == '{' ? value : -1;
        } else if (is(CHOICES, from, after)) {
            choices = json[value] == '[';
            int first = blank(value + 1);
            noChoices = first < end && json[first] == ']';
        } else if (is(ERROR, from, after)) {
            error = json[value] != 'n';
        }
        return value;
    }

    private boolean is(byte[] name, int from, int to) {
        return to - from == name.length && Arrays.equals(json, from, to, name, 0, name.length);
    }

    private int blank(int from) {
        int at = from;
        while (at < end && (json[at] == ' ' || json[at] == '\n' || json[at] == '\r' || json[at] == '\t')) at++;
        return at;
    }

    private int afterText(int quote) {
        for (int i = quote + 1; i < end; i++) {
            if (json[i] == '\\') i++;
            else if (json[i] == '"') return i + 1;
        }
        return -1;
    }

    /** Whether it has a list of choices. */
    boolean choices() {
        return choices;
    }

    /** Whether that list is empty, as in the chunk that reports the usage. */
    boolean noChoices() {
        return noChoices;
    }

    /** Whether it reports an error. */
    boolean error() {
        return error;
    }

    /** Whether it has a report of tokens. */
    boolean hasUsage() {
        return usageFrom >= 0;
    }

    /** The tokens that it reports; {@link ChatUsage#NONE} if it reports none. */
    ChatUsage usage() {
        return usageFrom < 0 ? ChatUsage.NONE : ChatBody.usage(json, usageFrom, end);
    }

    /**
     * What was read, as bytes of its own, under another name of the model.
     *
     * @param quotedModel the name as JSON text
     */
    byte[] under(byte[] quotedModel, int from) {
        if (modelFrom < 0 || Arrays.equals(json, modelFrom, modelTo, quotedModel, 0, quotedModel.length))
            return Arrays.copyOfRange(json, from, end);
        byte[] renamed = new byte[end - from - (modelTo - modelFrom) + quotedModel.length];
        int before = modelFrom - from;
        System.arraycopy(json, from, renamed, 0, before);
        System.arraycopy(quotedModel, 0, renamed, before, quotedModel.length);
        System.arraycopy(json, modelTo, renamed, before + quotedModel.length, end - modelTo);
        return renamed;
    }
}
