package io.guimo.data;

import java.util.List;

/**
 * Pieces of text, each to be read as a whole.
 *
 * @param name what the pieces are, such as {@code tang300}
 * @param texts the pieces, trimmed, none empty
 */
public record TextSet(String name, List<String> texts) {
    public TextSet {
        texts = List.copyOf(texts);
    }
}
