package io.guimo.shop;

import java.util.List;

/**
 * Texts that can be searched.
 *
 * @param name as requests name it, such as {@code items}
 * @param model name of the encoder that reads these texts best: used unless a request names another one
 * @param texts what is found
 */
public record SearchCollection(String name, String model, List<String> texts) {
    public SearchCollection {
        texts = List.copyOf(texts);
        if (texts.isEmpty()) throw new IllegalArgumentException("the collection " + name + " has no texts");
    }
}
