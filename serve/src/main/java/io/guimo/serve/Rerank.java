package io.guimo.serve;

import io.guimo.inference.InferenceRefusal;
import io.guimo.inference.TextEncoder;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Route;
import io.guimo.serve.http.Shape;
import io.guimo.units.Meter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.annotation.JsonDeserialize;

/**
 * {@code POST /v1/rerank}: documents in the order of their nearness to a query, in the shape that Cohere's, Jina's and vLLM's clients know. An
 * embedding model judges: the relevance is the cosine of the two vectors, −1 to 1. That is a bi-encoder, which reads query and document apart; a
 * cross-encoder, which reads them together, ranks better and costs more. Charged by the tokens read.
 */
final class Rerank {
    private static final long BODY_LIMIT = 8L << 20;
    private final Governed governed;
    private final Models models;

    Rerank(Governed governed, Models models) {
        this.governed = governed;
        this.models = models;
    }

    Route route() {
        return Route.post(
                "/v1/rerank",
                Access.KEY,
                BODY_LIMIT,
                Route.About.of(
                                "rerank",
                                "Models",
                                "Documents by their nearness to a query: the cosine of an embedding model's vectors")
                        .request(RerankRequest.class)
                        .answer(RerankAnswer.class),
                this::answer);
    }

    private Answer answer(Exchange exchange) throws Exception {
        return governed.answer(exchange, this::order);
    }

    private Order order(Exchange exchange) {
        RerankRequest asked = exchange.json(RerankRequest.class);
        TextEncoder model = models.of(exchange.caller(), asked.model, TextEncoder.class);
        if (asked.topN != null && asked.topN < 1) {
            throw RefusedException.invalid("'top_n' is " + asked.topN + "; write 1 or more", "top_n", "invalid_value");
        }
        List<String> documents =
                asked.documents.stream().map(RerankDocument::text).toList();
        List<int[]> query = EncoderInput.ofTexts(model, List.of(asked.query), "query");
        List<int[]> tokens = EncoderInput.ofTexts(model, documents, "documents");
        long count = query.getFirst().length
                + tokens.stream().mapToLong(t -> t.length).sum();
        Map<Meter, Long> used = Map.of(Meter.INPUT_TOKENS, count);
        return new Order(model.name(), used, List.of(exchange.body()), () -> {
            List<RerankResult> results = ranked(model, query, tokens, documents, asked);
            Embeddings.TokenUsage usage = new Embeddings.TokenUsage(count, count);
            return new Order.Served(
                    used, Content.json(new RerankAnswer(exchange.id().value(), "list", model.name(), results, usage)));
        });
    }

    private static List<RerankResult> ranked(
            TextEncoder model, List<int[]> query, List<int[]> tokens, List<String> documents, RerankRequest asked) {
        try {
            float[] wanted = model.embed(query).getFirst();
            List<float[]> vectors = model.embed(tokens);
            boolean told = asked.returnDocuments != null && asked.returnDocuments;
            return IntStream.range(0, vectors.size())
                    .mapToObj(i -> new RerankResult(
                            i, dot(wanted, vectors.get(i)), told ? new RerankDocument(documents.get(i)) : null))
                    .sorted(Comparator.comparingDouble(RerankResult::relevanceScore)
                            .reversed()
                            .thenComparingInt(RerankResult::index))
                    .limit(asked.topN == null ? vectors.size() : asked.topN)
                    .toList();
        } catch (InferenceRefusal e) {
            throw new RefusedException(EngineRefusals.refusal(e, "documents"));
        }
    }

    /** The cosine, since all vectors have length 1. */
    private static double dot(float[] left, float[] right) {
        double sum = 0;
        for (int i = 0; i < left.length; i++) sum += (double) left[i] * right[i];
        return Math.clamp(sum, -1, 1);
    }

    /**
     * @param documents texts, or objects with one
     * @param topN how many are given back, the nearest first; all unless given
     * @param returnDocuments whether their texts are given back too
     */
    record RerankRequest(
            String model,
            String query,
            List<RerankDocument> documents,
            @Nullable Integer topN,
            @Nullable Boolean returnDocuments) {}

    /** A text, or {@code {"text": …}}. */
    @Shape("""
            {"oneOf": [{"type": "string"}, {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}]}""")
    @JsonDeserialize(using = DocumentReader.class)
    record RerankDocument(String text) {}

    static final class DocumentReader extends ValueDeserializer<RerankDocument> {
        @Override
        public RerankDocument deserialize(JsonParser in, DeserializationContext context) {
            if (in.currentToken() == JsonToken.VALUE_STRING) return new RerankDocument(in.getString());
            List<String> found = new ArrayList<>();
            boolean object = in.currentToken() == JsonToken.START_OBJECT;
            while (object && in.nextToken() != JsonToken.END_OBJECT) {
                boolean text = in.currentName().equals("text");
                if (in.nextToken() == JsonToken.VALUE_STRING && text) found.add(in.getString());
                else in.skipChildren();
            }
            if (found.size() == 1) return new RerankDocument(found.getFirst());
            throw RefusedException.invalid(
                    "'documents' has an element that is neither a text nor an object with a 'text'",
                    "documents",
                    "invalid_type");
        }
    }

    record RerankAnswer(
            String id, String object, String model, List<RerankResult> results, Embeddings.TokenUsage usage) {}

    /**
     * @param index of the document in the request
     * @param relevanceScore cosine, −1 to 1
     */
    record RerankResult(
            int index, double relevanceScore, @Nullable RerankDocument document) {}
}
