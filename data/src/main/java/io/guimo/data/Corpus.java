package io.guimo.data;

import java.util.List;
import java.util.Map;

/**
 * Running text to learn a language from.
 *
 * @param name of the data set
 * @param documents in the order of the catalogue or of the files' names; none empty
 * @param fingerprints by file name, of the files' bytes
 */
public record Corpus(String name, List<Document> documents, Map<String, Fingerprint> fingerprints) {
    /**
     * A text that has a beginning and an end of its own.
     *
     * @param name of its file
     * @param text lines end with a line feed alone, whatever the file has
     */
    public record Document(String name, String text) {}

    public Corpus {
        documents = List.copyOf(documents);
        fingerprints = Map.copyOf(fingerprints);
    }

    /** Characters (Unicode code points) of all documents. */
    public long characters() {
        return documents.stream()
                .mapToLong(document ->
                        document.text().codePointCount(0, document.text().length()))
                .sum();
    }
}
