package io.guimo.testkit;

import io.guimo.data.ImageDecoder;
import io.guimo.inference.Classification;
import io.guimo.inference.Classification.LabelScore;
import io.guimo.inference.EngineUsage;
import io.guimo.inference.ImageClassifier;
import io.guimo.inference.InvalidInput;
import io.guimo.inference.ItemRecommender;
import io.guimo.inference.ScoredItem;
import io.guimo.inference.TextEncoder;
import io.guimo.units.Meter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Models of a shop without weights: their answers can be told from their inputs. */
final class PlainModels {
    static final List<String> LABELS = List.of(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot");
    static final List<String> ITEMS = List.of(
            "bread and cake",
            "biscuits",
            "tea",
            "coffee",
            "milk-cream",
            "fruit",
            "vegetables",
            "cheese",
            "frozen foods",
            "party snack foods",
            "puddings-deserts",
            "department7");
    /** Li Bai, Zhang Jiuling, Wang Wei, Meng Haoran: Tang dynasty. */
    static final List<String> POEMS = List.of(
            "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。",
            "海上生明月，天涯共此时。\n情人怨遥夜，竟夕起相思。",
            "独在异乡为异客，每逢佳节倍思亲。\n遥知兄弟登高处，遍插茱萸少一人。",
            "春眠不觉晓，处处闻啼鸟。\n夜来风雨声，花落知多少。");

    private static final EngineUsage NOTHING = new EngineUsage(Map.of(), 0, 0, 0, Map.of(), 0, 0);

    private PlainModels() {}

    /** Takes whatever picture it can read for a boot. */
    record Boots(String name) implements ImageClassifier {
        private static final ImageDecoder DECODER = new ImageDecoder(ImageDecoder.Limits.STANDARD);

        @Override
        public List<Classification> classify(List<byte[]> images) {
            List<Classification> answers = new ArrayList<>();
            for (int i = 0; i < images.size(); i++) {
                if (DECODER.decode(images.get(i), 64) instanceof ImageDecoder.Refused(var _, String message)) {
                    throw new InvalidInput(i, message);
                }
                answers.add(new Classification(List.of(
                        new LabelScore("Ankle boot", .9375),
                        new LabelScore("Sneaker", .046875),
                        new LabelScore("Sandal", .015625))));
            }
            return answers;
        }

        @Override
        public List<String> labels() {
            return LABELS;
        }

        @Override
        public int maxImages() {
            return 32;
        }

        @Override
        public String version() {
            return "1";
        }

        @Override
        public Set<Meter> meters() {
            return Set.of(Meter.IMAGES);
        }

        @Override
        public EngineUsage usage() {
            return NOTHING;
        }

        @Override
        public void close() {}
    }

    /** Recommends what is not in the basket, in the order of the shelf. */
    record Neighbours(String name) implements ItemRecommender {
        @Override
        public List<ScoredItem> recommend(List<String> items, int limit) {
            for (int i = 0; i < items.size(); i++) {
                if (!ITEMS.contains(items.get(i))) throw new InvalidInput(i, "unknown item '" + items.get(i) + "'");
            }
            return ITEMS.stream()
                    .filter(item -> !items.contains(item))
                    .limit(limit)
                    .map(item -> new ScoredItem(item, 1.0 / (1 + ITEMS.indexOf(item))))
                    .toList();
        }

        @Override
        public List<String> items() {
            return ITEMS;
        }

        @Override
        public int maxItems() {
            return ITEMS.size();
        }

        @Override
        public String version() {
            return "1";
        }

        @Override
        public Set<Meter> meters() {
            return Set.of(Meter.REQUESTS);
        }

        @Override
        public EngineUsage usage() {
            return NOTHING;
        }

        @Override
        public void close() {}
    }

    /** Texts are near when they share characters. */
    record Characters(String name) implements TextEncoder {
        private static final int DIMENSIONS = 256;

        @Override
        public List<int[]> tokenize(List<String> texts) {
            return texts.stream().map(text -> text.chars().toArray()).toList();
        }

        @Override
        public List<float[]> embed(List<int[]> tokenIds) {
            return tokenIds.stream().map(Characters::vector).toList();
        }

        private static float[] vector(int[] tokens) {
            float[] vector = new float[DIMENSIONS];
            for (int token : tokens) vector[token % DIMENSIONS]++;
            double square = 0;
            for (float each : vector) square += each * each;
            for (int i = 0; i < DIMENSIONS; i++) vector[i] /= (float) Math.sqrt(square);
            return vector;
        }

        @Override
        public int maxTokens() {
            return 512;
        }

        @Override
        public int maxTexts() {
            return 64;
        }

        @Override
        public int dimensions() {
            return DIMENSIONS;
        }

        @Override
        public String version() {
            return "1";
        }

        @Override
        public Set<Meter> meters() {
            return Set.of(Meter.INPUT_TOKENS);
        }

        @Override
        public EngineUsage usage() {
            return NOTHING;
        }

        @Override
        public void close() {}
    }
}
