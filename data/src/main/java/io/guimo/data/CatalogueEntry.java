package io.guimo.data;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A named data set: what it is, under which licence, and where it may be found.
 *
 * @param name lower case with hyphens, as a business file names it
 * @param title one line for a list
 * @param content what it can be read as
 * @param licence SPDX identifier or the publisher's words
 * @param files what it consists of; a place that has one has them all
 * @param places where it can come from, beyond the cache and {@code --data DIR}, in the order they are tried
 */
public record CatalogueEntry(
        String name, String title, Content content, String licence, List<File> files, List<Place> places) {
    /** What an entry can be read as. */
    public enum Content {
        IMAGES,
        BASKETS,
        ROWS,
        TEXTS,
        /** Running text. */
        CORPUS,
        ENCODER,
        LANGUAGE_MODEL,
        /** Native libraries. */
        LIBRARY,
        FONT
    }

    /**
     * @param name plain file name
     * @param bytes exact size
     * @param fingerprint of the whole content
     */
    public record File(String name, long bytes, Fingerprint fingerprint) {}

    public CatalogueEntry {
        files = List.copyOf(files);
        places = List.copyOf(places);
    }

    /** Bytes of all files together. */
    public long bytes() {
        return files.stream().mapToLong(File::bytes).sum();
    }

    public Map<String, Fingerprint> fingerprints() {
        Map<String, Fingerprint> byName = new LinkedHashMap<>();
        for (File file : files) byName.put(file.name(), file.fingerprint());
        return byName;
    }

    /**
     * @throws IllegalArgumentException if the entry has no such file
     */
    public File file(String fileName) {
        return files.stream()
                .filter(file -> file.name().equals(fileName))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'" + name + "' has no file '" + fileName + "'; it has "
                        + files.stream().map(File::name).toList()));
    }
}
