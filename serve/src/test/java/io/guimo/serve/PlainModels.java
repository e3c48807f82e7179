package io.guimo.serve;

import io.guimo.data.ImageDecoder;
import io.guimo.data.Picture;
import io.guimo.inference.ChatReply;
import io.guimo.inference.ChatStreamEnd;
import io.guimo.inference.ChatUsage;
import io.guimo.inference.Classification;
import io.guimo.inference.EngineUsage;
import io.guimo.inference.ImageClassifier;
import io.guimo.inference.InvalidInput;
import io.guimo.inference.ItemRecommender;
import io.guimo.inference.RemoteChat;
import io.guimo.inference.ScoredItem;
import io.guimo.inference.TextEncoder;
import io.guimo.units.Meter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Models without weights, whose answers can be told from their inputs. */
final class PlainModels {
    static final EngineUsage NOTHING = new EngineUsage(Map.of(), 0, 0, 0, Map.of(), 0, 0);

    private PlainModels() {}

    /** Labels an image by its size: wide or tall. */
    record Shapes(String name) implements ImageClassifier {
        private static final ImageDecoder DECODER = new ImageDecoder(ImageDecoder.Limits.STANDARD);

        @Override
        public List<Classification> classify(List<byte[]> images) {
            List<Classification> found = new ArrayList<>();
            for (int i = 0; i < images.size(); i++) {
                switch (DECODER.decode(images.get(i), 64)) {
                    case ImageDecoder.Refused(ImageDecoder.Reason _, String message) ->
                        throw new InvalidInput(i, message);
                    case ImageDecoder.Decoded(Picture picture) -> {
                        boolean wide = picture.width() >= picture.height();
                        found.add(new Classification(List.of(
                                new Classification.LabelScore(wide ? "wide" : "tall", 0.75),
                                new Classification.LabelScore(wide ? "tall" : "wide", 0.25))));
                    }
                }
            }
            return found;
        }

        @Override
        public List<String> labels() {
            return List.of("wide", "tall");
        }

        @Override
        public int maxImages() {
            return 16;
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

    /** Recommends the items that are not given, in order. */
    record Rest(String name) implements ItemRecommender {
        @Override
        public List<ScoredItem> recommend(List<String> items, int limit) {
            for (int i = 0; i < items.size(); i++) {
                if (!items().contains(items.get(i))) throw new InvalidInput(i, "unknown item '" + items.get(i) + "'");
            }
            return items().stream()
                    .filter(i -> !items.contains(i))
                    .limit(limit)
                    .map(i -> new ScoredItem(i, 0.5))
                    .toList();
        }

        @Override
        public List<String> items() {
            return List.of("bread", "milk", "tea");
        }

        @Override
        public int maxItems() {
            return 3;
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

    /** One token a character and two around; the vector says how many. */
    record Letters(String name) implements TextEncoder {
        @Override
        public List<int[]> tokenize(List<String> texts) {
            List<int[]> tokens = new ArrayList<>();
            for (int i = 0; i < texts.size(); i++) {
                if (texts.get(i).isEmpty()) throw new InvalidInput(i, "the text is empty; give at least one character");
                tokens.add(new int[texts.get(i).codePointCount(0, texts.get(i).length()) + 2]);
            }
            return tokens;
        }

        @Override
        public List<float[]> embed(List<int[]> tokenIds) {
            List<float[]> vectors = new ArrayList<>();
            for (int i = 0; i < tokenIds.size(); i++) {
                for (int id : tokenIds.get(i)) {
                    if (id < 0 || id > 1000) throw new InvalidInput(i, "token id " + id + " is outside 0 to 1000");
                }
                double angle = tokenIds.get(i).length;
                vectors.add(new float[] {(float) Math.cos(angle), (float) Math.sin(angle)});
            }
            return vectors;
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
            return 2;
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

    /** Says as many words as it is made with, one each {@code pauseMillis}, and reports them. */
    record Talker(String name, int words, int pauseMillis, AtomicInteger calls) implements RemoteChat {
        @Override
        public ChatReply complete(byte[] body) {
            calls.incrementAndGet();
            String answer =
                    "{\"id\":\"c\",\"object\":\"chat.completion\",\"model\":\"talker\",\"choices\":[{\"index\":0,"
                            + "\"message\":{\"role\":\"assistant\",\"content\":\"ok\"},\"finish_reason\":\"stop\"}],"
                            + "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":" + words + "}}";
            return new ChatReply(
                    200, "application/json", answer.getBytes(StandardCharsets.UTF_8), new ChatUsage(9, 0, words, true));
        }

        @Override
        public ChatStreamEnd stream(byte[] body, ChunkListener listener) {
            calls.incrementAndGet();
            for (int i = 0; i < words; i++) {
                if (pauseMillis > 0) LockSupport.parkNanos(pauseMillis * 1_000_000L);
                String chunk = "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"w" + i + " \"}}]}";
                if (!listener.chunk(chunk.getBytes(StandardCharsets.UTF_8))) {
                    return new ChatStreamEnd(
                            200, false, new ChatUsage(0, 0, i, false), "text/event-stream", new byte[0]);
                }
            }
            String usage = "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":" + words + "}}";
            listener.chunk(usage.getBytes(StandardCharsets.UTF_8));
            return new ChatStreamEnd(200, true, new ChatUsage(9, 0, words, true), "text/event-stream", new byte[0]);
        }

        @Override
        public int maxOutputTokens() {
            return 4096;
        }

        @Override
        public String version() {
            return "1";
        }

        @Override
        public Set<Meter> meters() {
            return Set.of(Meter.INPUT_TOKENS, Meter.CACHED_INPUT_TOKENS, Meter.OUTPUT_TOKENS);
        }

        @Override
        public EngineUsage usage() {
            return NOTHING;
        }

        @Override
        public void close() {}
    }
}
