package io.guimo.registry;

import io.guimo.model.ArchitectureSettings;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The stored form of a network's architecture: a JSON object with {@code kind} and the settings of that kind, as a business file writes them. */
public final class ArchitectureForm {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private ArchitectureForm() {}

    public static String write(ArchitectureSettings architecture) {
        ObjectNode node = JSON.createObjectNode();
        switch (architecture) {
            case ArchitectureSettings.Resnet resnet ->
                node.put("kind", "resnet").put("width", resnet.width());
            case ArchitectureSettings.LinearAutoencoder linear ->
                node.put("kind", "linear-autoencoder").put("dropout", linear.dropout());
            case ArchitectureSettings.Llama llama ->
                node.put("kind", "llama")
                        .put("layers", llama.layers())
                        .put("width", llama.width())
                        .put("heads", llama.heads())
                        .put("kvHeads", llama.kvHeads())
                        .put("context", llama.context())
                        .put("vocabulary", llama.vocabulary())
                        .put("dropout", llama.dropout());
            case ArchitectureSettings.Gpt2 gpt2 ->
                node.put("kind", "gpt2")
                        .put("layers", gpt2.layers())
                        .put("width", gpt2.width())
                        .put("heads", gpt2.heads())
                        .put("context", gpt2.context())
                        .put("vocabulary", gpt2.vocabulary())
                        .put("dropout", gpt2.dropout());
        }
        return node.toString();
    }

    /** @throws IllegalArgumentException if this build does not know the kind, or the settings are not permitted */
    public static ArchitectureSettings read(String json) {
        try {
            JsonNode node = JSON.readTree(json);
            String kind = node.path("kind").asString("");
            Class<? extends ArchitectureSettings> known =
                    switch (kind) {
                        case "resnet" -> ArchitectureSettings.Resnet.class;
                        case "linear-autoencoder" -> ArchitectureSettings.LinearAutoencoder.class;
                        case "llama" -> ArchitectureSettings.Llama.class;
                        case "gpt2" -> ArchitectureSettings.Gpt2.class;
                        default ->
                            throw new IllegalArgumentException(
                                    "the architecture is of kind '" + Shown.text(kind)
                                            + "'; this build knows resnet, linear-autoencoder, llama and gpt2: use the build that packaged the model");
                    };
            return JSON.treeToValue(((ObjectNode) node).without("kind"), known);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("the architecture cannot be read: " + e.getOriginalMessage(), e);
        }
    }
}
