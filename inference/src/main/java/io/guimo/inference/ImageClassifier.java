package io.guimo.inference;

import java.util.List;

/** Says which of its labels an image shows. */
public non-sealed interface ImageClassifier extends HostedModel {
    /**
     * @param images encoded images (PNG, JPEG or WebP), 1 to {@link #maxImages()}
     * @return one classification per image, in the same order
     * @throws InvalidInput    an image cannot be read or is too large; {@link InvalidInput#index()} says which
     * @throws Overloaded      the queue is full
     * @throws EngineClosed    the engine is closing
     */
    List<Classification> classify(List<byte[]> images);

    /** The labels in the model's own order. */
    List<String> labels();

    /** The most images that one call may bring. */
    int maxImages();
}
