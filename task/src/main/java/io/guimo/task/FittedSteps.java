package io.guimo.task;

import io.guimo.data.Background;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What preprocessing learnt from the training part. It travels in the model package as JSON, so that serving prepares its input by exactly the steps
 * that training used.
 */
public sealed interface FittedSteps {
    /** Version of the stored form that is written today; a reader refuses any that it does not know. */
    int VERSION = 1;

    /** The task whose steps these are. */
    TaskName task();

    /**
     * Steps of {@link ClassifyImages}: pictures of any size become channels × height × width numbers.
     *
     * @param labels names of the classes, in the order of the network's outputs
     * @param height pixels of the network's input
     * @param width pixels of the network's input
     * @param channels 1 (grey) or 3 (red, green, blue)
     * @param mean a number a channel, subtracted from a value scaled to 0–1; over the training part
     * @param deviation a number a channel, more than 0, by which the difference is divided
     * @param background what the training pictures stand on
     */
    record Images(
            List<String> labels,
            int height,
            int width,
            int channels,
            List<Double> mean,
            List<Double> deviation,
            Background background)
            implements FittedSteps {
        public Images {
            labels = List.copyOf(labels);
            mean = List.copyOf(mean);
            deviation = List.copyOf(deviation);
            if (labels.isEmpty() || height < 1 || width < 1 || height > 4096 || width > 4096) {
                throw new IllegalArgumentException(labels.size() + " labels, " + height + " × " + width
                        + " pixels: at least one label, 1–4096 pixels");
            }
            if ((channels != 1 && channels != 3) || mean.size() != channels || deviation.size() != channels) {
                throw new IllegalArgumentException("channels are " + channels + " (permitted: 1, 3) with " + mean.size()
                        + " means and " + deviation.size() + " deviations: one of each a channel");
            }
            for (double value : deviation) {
                if (!(value > 0) || Double.isInfinite(value)) {
                    throw new IllegalArgumentException("a deviation is " + value + "; it must be more than 0");
                }
            }
        }

        @Override
        public TaskName task() {
            return TaskName.CLASSIFY_IMAGES;
        }
    }

    /**
     * Steps of {@link RecommendItems}.
     *
     * @param items the vocabulary, in the order of the network's inputs and outputs
     */
    record Items(List<String> items) implements FittedSteps {
        public Items {
            items = List.copyOf(items);
            if (items.isEmpty()) throw new IllegalArgumentException("no items: at least one is needed");
        }

        @Override
        public TaskName task() {
            return TaskName.RECOMMEND_ITEMS;
        }
    }

    /**
     * Steps of {@link GenerateText}. What was fitted is the tokenizer, which travels as {@code tokenizer.json}, so that other programs read it too.
     *
     * @param endOfText the token that ends a text
     */
    record Text(String endOfText) implements FittedSteps {
        @Override
        public TaskName task() {
            return TaskName.GENERATE_TEXT;
        }
    }

    /** The stored form, the same bytes for equal steps: an object with {@code version}, {@code task} and the components, in UTF-8. */
    default byte[] json() {
        return JsonMapper.shared().writeValueAsBytes(new Stored(VERSION, task().fileName(), this));
    }

    /** Fixes the order of what is written. */
    record Stored(int version, String task, FittedSteps steps) {}

    /**
     * Reads what {@link #json} wrote.
     *
     * @throws IllegalArgumentException if the bytes are no such thing, or of a version this build does not know
     */
    static FittedSteps read(byte[] json) {
        try {
            JsonMapper mapper = JsonMapper.builder()
                    .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                    .build();
            JsonNode root = mapper.readTree(json);
            int version = root.path("version").asInt(0);
            if (version != VERSION) {
                throw new IllegalArgumentException("fitted steps of version " + version + "; this build reads version "
                        + VERSION + ": use the build that wrote them, or train again");
            }
            String task = root.path("task").asString("");
            JsonNode steps = root.path("steps");
            return switch (task) {
                case "classify-images" -> mapper.treeToValue(steps, Images.class);
                case "recommend-items" -> mapper.treeToValue(steps, Items.class);
                case "generate-text" -> mapper.treeToValue(steps, Text.class);
                default -> throw new IllegalArgumentException("fitted steps of the unknown task '" + task + "'");
            };
        } catch (JacksonException e) {
            throw new IllegalArgumentException("these are no fitted steps: " + e.getOriginalMessage(), e);
        }
    }
}
