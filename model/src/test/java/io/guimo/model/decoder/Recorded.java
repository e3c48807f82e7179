package io.guimo.model.decoder;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A tiny network and what transformers computed with it: {@code record.py} beside the resources. */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Recorded(
        Path folder,
        int[] tokensBT,
        float[] logits,
        double loss,
        Map<String, double[]> gradients,
        float[] narrowLogits) {
    static final int SEQUENCES = 2;
    static final int TOKENS = 33;
    static final int VOCABULARY = 40;

    static Recorded of(String name) {
        Path folder = folder(name);
        try {
            JsonNode json = JsonMapper.shared().readTree(Files.readString(folder.resolve("expected.json")));
            Map<String, double[]> gradients = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> entry : json.get("gradients").properties()) {
                gradients.put(entry.getKey(), numbers(entry.getValue()));
            }
            int[] tokens = new int[SEQUENCES * TOKENS];
            for (int i = 0; i < tokens.length; i++) {
                tokens[i] = json.get("tokens").get(i / TOKENS).get(i % TOKENS).intValue();
            }
            return new Recorded(
                    folder,
                    tokens,
                    floats(json.get("logits")),
                    json.get("loss").doubleValue(),
                    gradients,
                    floats(json.get("narrowLogits")));
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        }
    }

    static Path folder(String name) {
        URL resource = Objects.requireNonNull(Recorded.class.getResource(name), name);
        try {
            return Path.of(resource.toURI());
        } catch (URISyntaxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static double[] numbers(JsonNode array) {
        double[] numbers = new double[array.size()];
        for (int i = 0; i < numbers.length; i++) numbers[i] = array.get(i).doubleValue();
        return numbers;
    }

    private static float[] floats(JsonNode array) {
        float[] floats = new float[array.size()];
        for (int i = 0; i < floats.length; i++) floats[i] = array.get(i).floatValue();
        return floats;
    }
}
