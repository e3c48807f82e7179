package io.guimo.serve;

import io.guimo.inference.TextEncoder;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Route;
import io.guimo.units.Meter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/embeddings}, as OpenAI's. Charged by the tokens read. */
final class Embeddings {
    private static final long BODY_LIMIT = 8L << 20;
    private final Governed governed;
    private final Models models;

    Embeddings(Governed governed, Models models) {
        this.governed = governed;
        this.models = models;
    }

    Route route() {
        return Route.post(
                "/v1/embeddings",
                Access.KEY,
                BODY_LIMIT,
                Route.About.of("createEmbeddings", "Models", "Vectors whose cosine is nearness of meaning")
                        .request(EmbeddingsRequest.class)
                        .answer(EmbeddingsAnswer.class),
                this::answer);
    }

    private Answer answer(Exchange exchange) throws Exception {
        return governed.answer(exchange, this::order);
    }

    private Order order(Exchange exchange) {
        EmbeddingsRequest asked = exchange.json(EmbeddingsRequest.class);
        if (asked.dimensions != null) {
            throw RefusedException.invalid(
                    "'dimensions' is " + asked.dimensions
                            + "; these models have vectors of one length only, so leave it out",
                    "dimensions",
                    "unsupported_parameter");
        }
        boolean base64 =
                switch (asked.encodingFormat == null ? "float" : asked.encodingFormat) {
                    case "float" -> false;
                    case "base64" -> true;
                    default ->
                        throw RefusedException.invalid(
                                "'encoding_format' is '" + asked.encodingFormat + "'; write float or base64",
                                "encoding_format",
                                "invalid_value");
                };
        TextEncoder model = models.of(exchange.caller(), asked.model, TextEncoder.class);
        List<int[]> tokens = tokens(model, asked.input);
        long count = tokens.stream().mapToLong(t -> t.length).sum();
        Map<Meter, Long> used = Map.of(Meter.INPUT_TOKENS, count);
        return new Order(
                model.name(),
                used,
                List.of(exchange.body()),
                () -> new Order.Served(used, Content.json(embedded(model, tokens, count, base64))));
    }

    private static List<int[]> tokens(TextEncoder model, TextsOrTokens input) {
        return switch (input) {
            case TextsOrTokens.Texts(List<String> texts) -> EncoderInput.ofTexts(model, texts, "input");
            case TextsOrTokens.TokenIds(List<int[]> ids) -> EncoderInput.checked(model, ids, "input");
        };
    }

    private static EmbeddingsAnswer embedded(TextEncoder model, List<int[]> tokens, long count, boolean base64) {
        List<float[]> vectors = model.embed(tokens);
        List<Embedding> data = new ArrayList<>(vectors.size());
        for (int i = 0; i < vectors.size(); i++) {
            float[] vector = vectors.get(i);
            data.add(new Embedding(
                    "embedding", i, base64 ? new Vector(null, base64(vector)) : new Vector(vector, null)));
        }
        return new EmbeddingsAnswer("list", data, model.name(), new TokenUsage(count, count));
    }

    /** Little-endian 32-bit floats, as OpenAI's. */
    private static String base64(float[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(vector);
        return Base64.getEncoder().encodeToString(bytes.array());
    }

    /**
     * @param encodingFormat {@code float} or {@code base64}; float unless given
     * @param dimensions refused, whatever it is
     * @param user the caller's own note; not kept
     */
    record EmbeddingsRequest(
            String model,
            TextsOrTokens input,
            @Nullable String encodingFormat,
            @Nullable Long dimensions,
            @Nullable String user) {}

    record EmbeddingsAnswer(String object, List<Embedding> data, String model, TokenUsage usage) {}

    record Embedding(String object, int index, Vector embedding) {}

    /** Tokens read, as OpenAI counts them. */
    record TokenUsage(long promptTokens, long totalTokens) {}
}
