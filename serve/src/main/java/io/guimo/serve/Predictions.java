package io.guimo.serve;

import io.guimo.inference.Classification;
import io.guimo.inference.ImageClassifier;
import io.guimo.inference.InferenceRefusal;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Route;
import io.guimo.units.Meter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** {@code POST /v1/predict/{model}}: which labels images show. Charged by the image. */
final class Predictions {
    static final long BODY_LIMIT = 32L << 20;
    private static final String MULTIPART = "multipart/form-data";
    private final Governed governed;
    private final Models models;

    Predictions(Governed governed, Models models) {
        this.governed = governed;
        this.models = models;
    }

    Route route() {
        return Route.post(
                "/v1/predict/{model}",
                Access.KEY,
                BODY_LIMIT,
                Route.About.of("predict", "Models", "Which labels images show (PNG, JPEG or WebP)")
                        .request(PredictionsRequest.class)
                        .alsoReads(MULTIPART)
                        .answer(PredictionsAnswer.class),
                this::answer);
    }

    private Answer answer(Exchange exchange) throws Exception {
        return governed.answer(exchange, this::order);
    }

    private Order order(Exchange exchange) {
        ImageClassifier model = models.of(exchange.caller(), exchange.variable("model"), ImageClassifier.class);
        exchange.requireMediaType(List.of(Content.JSON, MULTIPART));
        boolean multipart = exchange.mediaType().equals(MULTIPART);
        String param = multipart ? "file" : "images";
        List<byte[]> images =
                multipart ? MultipartFiles.read(exchange, "file", model.maxImages()) : images(exchange, model);
        if (images.isEmpty()) {
            throw RefusedException.invalid("'" + param + "' is empty; give at least one image", param, "invalid_value");
        }
        Map<Meter, Long> used = Map.of(Meter.IMAGES, (long) images.size());
        // the files themselves: a multipart body has another boundary each time it is sent
        List<byte[]> content = multipart ? images : List.of(exchange.body());
        return new Order(model.name(), used, content, () -> predicted(model, images, param, used));
    }

    private static List<byte[]> images(Exchange exchange, ImageClassifier model) {
        PredictionsRequest asked = exchange.json(PredictionsRequest.class);
        if (asked.images.size() > model.maxImages()) throw tooMany(asked.images.size(), "images", model.maxImages());
        List<byte[]> images = new ArrayList<>(asked.images.size());
        for (int i = 0; i < asked.images.size(); i++) images.add(decoded(asked.images.get(i), i));
        return images;
    }

    /** Base64, or a data URL of it. */
    private static byte[] decoded(String text, int index) {
        String base64 = text;
        if (text.startsWith("data:")) {
            int comma = text.indexOf(',');
            if (comma < 0 || !text.substring(0, comma).endsWith(";base64")) {
                throw RefusedException.invalid(
                        "'images[" + index + "]' is a data URL without ';base64,'",
                        "images[" + index + "]",
                        "invalid_value");
            }
            base64 = text.substring(comma + 1);
        }
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw RefusedException.invalid(
                    "'images[" + index + "]' is neither base64 nor a data URL",
                    "images[" + index + "]",
                    "invalid_value");
        }
    }

    static RefusedException tooMany(int count, String param, int most) {
        return RefusedException.invalid(
                "'" + param + "' has " + count + " images; give 1 to " + most + " at once", param, "too_many_inputs");
    }

    private static Order.Served predicted(
            ImageClassifier model, List<byte[]> images, String param, Map<Meter, Long> used) {
        List<Classification> found;
        try {
            found = model.classify(images);
        } catch (InferenceRefusal e) {
            throw new RefusedException(EngineRefusals.refusal(e, param));
        }
        List<Prediction> data = new ArrayList<>(found.size());
        for (int i = 0; i < found.size(); i++) {
            Classification.LabelScore best = found.get(i).best();
            data.add(new Prediction(
                    i, best.label(), best.probability(), found.get(i).labels()));
        }
        return new Order.Served(
                used, Content.json(new PredictionsAnswer("list", model.name(), data, new ImageUsage(images.size()))));
    }

    /** @param images each base64, or a data URL of it */
    record PredictionsRequest(List<String> images) {}

    record PredictionsAnswer(String object, String model, List<Prediction> data, ImageUsage usage) {}

    /**
     * @param label the most probable one
     * @param labels all of them, the most probable first
     */
    record Prediction(int index, String label, double probability, List<Classification.LabelScore> labels) {}

    record ImageUsage(long images) {}
}
