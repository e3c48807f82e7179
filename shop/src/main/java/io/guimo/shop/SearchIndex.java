package io.guimo.shop;

import io.guimo.inference.TextEncoder;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The vectors of some texts, searched one by one: with a few hundred texts that takes microseconds, and is exact. N texts, D dimensions.
 *
 * <p>Kept in a file named after the model's version and the texts' digest, so that a changed model or collection never meets old vectors.
 */
final class SearchIndex {
    private static final Logger LOG = LoggerFactory.getLogger(SearchIndex.class);
    private static final int FORMAT = 0x47535631; // "GSV1"
    private static final int MOST_TEXTS_AT_ONCE = 16;

    private final List<String> texts;
    private final float[][] vectorsND;

    private SearchIndex(List<String> texts, float[][] vectorsND) {
        this.texts = texts;
        this.vectorsND = vectorsND;
    }

    /** Reads the index from {@code folder}, or makes it and keeps it there. */
    static SearchIndex open(Path folder, TextEncoder model, SearchCollection collection) {
        Path file = folder.resolve(fileName(model, collection));
        float[][] kept = read(file, collection.texts().size(), model.dimensions());
        if (kept != null) return new SearchIndex(collection.texts(), kept);
        float[][] made = embed(model, collection.texts());
        write(file, made);
        LOG.info("index {} of {} texts by {} made", collection.name(), made.length, model.name());
        return new SearchIndex(collection.texts(), made);
    }

    /**
     * The nearest texts, the nearest first; of equally near ones the earlier first.
     *
     * @param queryD vector of length 1 (Euclidean norm)
     */
    List<Found> nearest(float[] queryD, int limit) {
        double[] scores = new double[vectorsND.length];
        for (int i = 0; i < scores.length; i++) scores[i] = dot(vectorsND[i], queryD);
        return IntStream.range(0, scores.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -scores[i]))
                .limit(limit)
                .map(i -> new Found(i, texts.get(i), scores[i]))
                .toList();
    }

    /**
     * @param index position in the collection, from 0
     * @param score cosine with the query, −1 to 1
     */
    record Found(int index, String text, double score) {}

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) sum += (double) a[i] * b[i];
        return sum;
    }

    private static float[][] embed(TextEncoder model, List<String> texts) {
        List<float[]> vectors = new ArrayList<>(texts.size());
        int atOnce = Math.min(MOST_TEXTS_AT_ONCE, model.maxTexts());
        for (int from = 0; from < texts.size(); from += atOnce) {
            List<int[]> tokens = model.tokenize(texts.subList(from, Math.min(from + atOnce, texts.size()))).stream()
                    .map(t -> shortened(t, model.maxTokens()))
                    .toList();
            vectors.addAll(model.embed(tokens));
        }
        return vectors.toArray(float[][]::new);
    }

    /** The beginning and the closing token of a text that is too long for the model. */
    private static int[] shortened(int[] tokens, int most) {
        if (tokens.length <= most) return tokens;
        int[] kept = Arrays.copyOf(tokens, most);
        kept[most - 1] = tokens[tokens.length - 1];
        return kept;
    }

    private static float @org.jspecify.annotations.Nullable [][] read(Path file, int count, int dimensions) {
        if (!Files.isRegularFile(file)) return null;
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
            if (Files.size(file) != 12L + (long) count * dimensions * Float.BYTES
                    || in.readInt() != FORMAT
                    || in.readInt() != count
                    || in.readInt() != dimensions) {
                LOG.warn("{} is not an index of {} texts; it is made again", file, count);
                return null;
            }
            float[][] vectors = new float[count][dimensions];
            for (float[] vector : vectors) for (int i = 0; i < dimensions; i++) vector[i] = in.readFloat();
            return vectors;
        } catch (IOException e) {
            LOG.warn("{} cannot be read ({}); it is made again", file, e.getMessage());
            return null;
        }
    }

    private static void write(Path file, float[][] vectors) {
        try {
            Files.createDirectories(file.getParent());
            Path partial = Files.createTempFile(file.getParent(), "index", ".partial");
            try (DataOutputStream out =
                    new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(partial)))) {
                out.writeInt(FORMAT);
                out.writeInt(vectors.length);
                out.writeInt(vectors[0].length);
                for (float[] vector : vectors) for (float value : vector) out.writeFloat(value);
            }
            Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep the search index " + file, e);
        }
    }

    private static String fileName(TextEncoder model, SearchCollection collection) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update((model.name() + "\n" + model.version() + "\n").getBytes(StandardCharsets.UTF_8));
            for (String text : collection.texts()) {
                sha.update(text.getBytes(StandardCharsets.UTF_8));
                sha.update((byte) 0);
            }
            return collection.name() + "-" + HexFormat.of().formatHex(sha.digest(), 0, 12) + ".vectors";
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
