package io.guimo.model.decoder;

import io.guimo.model.DurableFile;
import io.guimo.model.Safetensors;
import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A folder as transformers writes and reads it: {@code config.json} and {@code model.safetensors}, or parts of the latter and their index. */
public final class HuggingFaceFolder {
    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final int MOST_INDEX_BYTES = 32 << 20;

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private HuggingFaceFolder() {}

    /**
     * Reads a network.
     *
     * @param type FLOAT32 or BFLOAT16, of all parameters, whatever the files have
     * @throws IllegalArgumentException when the folder holds no decoder that is known here, or a file is damaged
     */
    public static Decoder read(Path folder, DType type) {
        DecoderConfig config = DecoderConfig.read(folder.resolve(CONFIG));
        return Decoder.read(config, weights(folder, config), type);
    }

    /** Writes a network so that transformers' {@code from_pretrained} reads it. Adapters are written only as far as they are merged. */
    public static void write(Path folder, Decoder network) {
        try {
            Files.createDirectories(folder);
            byte[] config = JSON.writerWithDefaultPrettyPrinter()
                    .writeValueAsBytes(network.config().toJson());
            DurableFile.replace(folder.resolve(CONFIG), out -> out.write(config));
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot write " + folder + ": " + failed.getMessage(), failed);
        }
        Safetensors.write(folder.resolve(WEIGHTS), network.weights(), Map.of("format", "pt"));
    }

    /** @throws IllegalArgumentException when a header is not sound or the index and the files do not agree */
    static StoredWeights weights(Path folder, DecoderConfig config) {
        Map<String, Place> places = new LinkedHashMap<>();
        Path index = folder.resolve(INDEX);
        if (Files.exists(index)) {
            Map<String, String> files = readIndex(index);
            Map<String, Map<String, Place>> parts = new LinkedHashMap<>();
            files.forEach((tensor, name) -> {
                Place place = parts.computeIfAbsent(name, part -> places(folder.resolve(part)))
                        .get(tensor);
                if (place == null) throw refused(index, name + " does not hold " + tensor);
                places.put(tensor, place);
            });
        } else {
            places.putAll(places(folder.resolve(WEIGHTS)));
        }
        return new Stored(withPrefix(places, config));
    }

    /** Where a tensor lies. */
    private record Place(Path file, Safetensors.Header header, Safetensors.Entry entry) {}

    private static Map<String, Place> places(Path file) {
        Safetensors.Header header = Safetensors.readHeader(file);
        Map<String, Place> places = new LinkedHashMap<>();
        for (Safetensors.Entry entry : header.entries()) places.put(entry.name(), new Place(file, header, entry));
        return places;
    }

    private static Map<String, String> readIndex(Path index) {
        try (InputStream in = Files.newInputStream(index)) {
            byte[] bytes = in.readNBytes(MOST_INDEX_BYTES + 1);
            if (bytes.length > MOST_INDEX_BYTES)
                throw refused(index, "it has more than " + MOST_INDEX_BYTES + " bytes");
            JsonNode map = JSON.readTree(bytes).path("weight_map");
            if (!map.isObject()) throw refused(index, "it has no weight_map");
            Map<String, String> files = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> entry : map.properties()) {
                String name = entry.getValue().isString() ? entry.getValue().stringValue() : "";
                // the index may come from anybody: a name that leads out of the folder would read other files
                if (!name.matches("[A-Za-z0-9_][A-Za-z0-9._-]*\\.safetensors")) {
                    throw refused(index, "it names the file " + entry.getValue());
                }
                files.put(entry.getKey(), name);
            }
            return files;
        } catch (JacksonException malformed) {
            throw refused(index, "it is not JSON: " + malformed.getOriginalMessage());
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot read " + index + ": " + failed.getMessage(), failed);
        }
    }

    /** Some files were saved from the body alone, without the first part of its names. */
    private static Map<String, Place> withPrefix(Map<String, Place> places, DecoderConfig config) {
        String prefix =
                switch (config) {
                    case Gpt2Config _ -> "transformer.";
                    case LlamaConfig _ -> "model.";
                };
        if (places.keySet().stream().anyMatch(name -> name.startsWith(prefix))) return places;
        Map<String, Place> named = new LinkedHashMap<>();
        places.forEach((name, place) -> named.put(name.equals("lm_head.weight") ? name : prefix + name, place));
        return named;
    }

    private record Stored(Map<String, Place> places) implements StoredWeights {
        @Override
        public Map<String, long[]> shapes() {
            Map<String, long[]> shapes = new LinkedHashMap<>();
            places.forEach((name, place) -> shapes.put(
                    name,
                    place.entry.shape().stream().mapToLong(Long::longValue).toArray()));
            return shapes;
        }

        @Override
        public Tensor read(String name) {
            Place place = places.get(name);
            if (place == null) throw new IllegalArgumentException("there is no tensor " + name);
            return Safetensors.read(place.file, place.header, place.entry);
        }
    }

    private static IllegalArgumentException refused(Path file, String why) {
        return new IllegalArgumentException(
                file.getFileName() + " is not a sound index of weights: " + why + "; fetch it again");
    }
}
