package io.guimo.model.decoder;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The entries of a {@code config.json}. Those that nothing asks for are none of ours: transformers writes dozens. */
final class ConfigFile {
    private static final int MOST_BYTES = 4 << 20; // some carry a name for each of thousands of labels

    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(16)
                            .maxNumberLength(64)
                            .build())
                    .build())
            .build();

    private final Path file;
    private final JsonNode root;

    private ConfigFile(Path file, JsonNode root) {
        this.file = file;
        this.root = root;
    }

    static ConfigFile read(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            ConfigFile config = new ConfigFile(file, JSON.nullNode());
            if (bytes.length > MOST_BYTES) throw config.refused("it has more than " + MOST_BYTES + " bytes");
            JsonNode root = JSON.readTree(bytes);
            if (!root.isObject()) throw config.refused("it is no JSON object");
            return new ConfigFile(file, root);
        } catch (JacksonException malformed) {
            throw new ConfigFile(file, JSON.nullNode()).refused("it is not JSON: " + malformed.getOriginalMessage());
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot read " + file + ": " + failed.getMessage(), failed);
        }
    }

    boolean has(String name) {
        return root.hasNonNull(name);
    }

    /** The entries of an object inside; none if it is absent. */
    ConfigFile inner(String name) {
        JsonNode inner = root.path(name);
        if (inner.isObject()) return new ConfigFile(file, inner);
        if (has(name)) throw refused(name + " is " + inner + ", not an object");
        return new ConfigFile(file, JSON.createObjectNode());
    }

    int whole(String name) {
        if (!has(name)) throw refused(name + " is missing");
        return whole(name, 0);
    }

    int whole(String name, int absent) {
        if (!has(name)) return absent;
        JsonNode value = root.get(name);
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw refused(name + " is " + value + "; a whole number up to " + Integer.MAX_VALUE + " belongs there");
        }
        return value.intValue();
    }

    double number(String name, double absent) {
        if (!has(name)) return absent;
        JsonNode value = root.get(name);
        if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
            throw refused(name + " is " + value + "; a number belongs there");
        }
        return value.doubleValue();
    }

    boolean flag(String name, boolean absent) {
        if (!has(name)) return absent;
        JsonNode value = root.get(name);
        if (!value.isBoolean()) throw refused(name + " is " + value + "; true or false belongs there");
        return value.booleanValue();
    }

    String text(String name, String absent) {
        if (!has(name)) return absent;
        JsonNode value = root.get(name);
        if (!value.isString()) throw refused(name + " is " + value + "; text belongs there");
        return value.stringValue();
    }

    /** One token or several. */
    Set<Integer> tokens(String name) {
        Set<Integer> tokens = new LinkedHashSet<>();
        JsonNode value = root.path(name);
        Iterable<JsonNode> all = value.isArray() ? value : has(name) ? Set.of(value) : Set.of();
        for (JsonNode token : all) {
            if (!token.isIntegralNumber() || !token.canConvertToInt()) {
                throw refused(name + " holds " + token + "; a token's number belongs there");
            }
            tokens.add(token.intValue());
        }
        return tokens;
    }

    /** Texts of an array. */
    Set<String> texts(String name) {
        Set<String> texts = new LinkedHashSet<>();
        JsonNode value = root.path(name);
        if (!value.isArray()) throw refused(name + " is " + value + "; an array of texts belongs there");
        for (JsonNode text : value) {
            if (!text.isString()) throw refused(name + " holds " + text + "; text belongs there");
            texts.add(text.stringValue());
        }
        return texts;
    }

    /** Refuses an entry that holds anything. */
    void requireEmpty(String name) {
        if (has(name) && !root.get(name).isEmpty())
            throw refused(name + " " + root.get(name) + " is not computed here");
    }

    /** Refuses a value other than the only one that the house computes. */
    void requireText(String name, String only) {
        String value = text(name, only);
        if (!value.equals(only)) throw refused(name + " " + value + " is not computed here, only " + only);
    }

    /** As {@link #requireText}. */
    void requireFlag(String name, boolean only) {
        if (flag(name, only) != only) throw refused(name + " " + !only + " is not computed here, only " + only);
    }

    IllegalArgumentException refused(RuntimeException why) {
        return refused(String.valueOf(why.getMessage()));
    }

    IllegalArgumentException refused(String why) {
        return new IllegalArgumentException(file.getFileName() + " describes no decoder that runs here: " + why);
    }
}
