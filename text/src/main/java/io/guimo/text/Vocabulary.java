package io.guimo.text;

import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What each token id stands for, in bytes. */
public final class Vocabulary {
    private final byte[][] bytes;
    private final boolean[] special;

    /**
     * @param bytes of each id; empty for special tokens and ids without a token
     * @param special of each id, whether it is never text
     */
    public Vocabulary(byte[][] bytes, boolean[] special) {
        if (bytes.length != special.length) {
            throw new IllegalArgumentException(
                    bytes.length + " tokens have bytes, but " + special.length + " have a kind");
        }
        this.bytes = Stream.of(bytes).map(byte[]::clone).toArray(byte[][]::new);
        this.special = special.clone();
    }

    /** Reads a tokenizer's tokens as its decoder would write them. */
    static Vocabulary of(TokenizerJson json) {
        byte[][] bytes = new byte[json.tokens().size()][];
        boolean[] special = new boolean[bytes.length];
        for (int id = 0; id < bytes.length; id++) {
            String token = json.tokens().get(id);
            special[id] = json.special().get(id);
            bytes[id] = token == null || special[id] ? new byte[0] : bytes(token, json, id);
        }
        return new Vocabulary(bytes, special);
    }

    private static byte[] bytes(String token, TokenizerJson json, int id) {
        if (json.added().get(id)) return token.getBytes(StandardCharsets.UTF_8);
        return switch (json.decoder()) {
            case BYTE_LEVEL -> ByteLevel.bytes(token);
            case SENTENCE_PIECE -> {
                Integer single = singleByte(token);
                yield single != null
                        ? new byte[] {single.byteValue()}
                        : token.replace('▁', ' ').getBytes(StandardCharsets.UTF_8);
            }
            case WORD_PIECE ->
                throw new IllegalStateException("the tokenizer's pieces of words have no bytes of their own; it cannot"
                        + " write an answer token by token");
        };
    }

    /** The byte of a token such as {@code <0x0A>}, with which a vocabulary of characters writes what it has no token for. */
    private static @Nullable Integer singleByte(String token) {
        if (token.length() != 6 || !token.startsWith("<0x") || !token.endsWith(">")) return null;
        int high = Character.digit(token.charAt(3), 16);
        int low = Character.digit(token.charAt(4), 16);
        return high < 0 || low < 0 ? null : high * 16 + low;
    }

    /** One more than the greatest id. */
    public int size() {
        return bytes.length;
    }

    /**
     * The bytes that the token adds to a text; empty for special tokens and ids without a token. The first token of a text whose tokenizer marks the
     * beginning of words with a space begins with one that is no part of the text.
     */
    public byte[] bytes(int id) {
        return bytes[id].clone();
    }

    /** Whether the token is a mark of the model's own, such as the end of a message, which is never text. */
    public boolean isSpecial(int id) {
        return special[id];
    }
}
