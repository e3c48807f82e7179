package io.guimo.data;

/** Is told how far the fetching of a data set is, on the thread that fetches. */
@FunctionalInterface
public interface FetchProgress {
    FetchProgress NONE = (name, place, bytes, total) -> {};

    /**
     * @param name the catalogue entry
     * @param place where it is looked for right now, in words
     * @param bytes fetched so far
     * @param total bytes expected, or −1 if unknown
     */
    void report(String name, String place, long bytes, long total);
}
