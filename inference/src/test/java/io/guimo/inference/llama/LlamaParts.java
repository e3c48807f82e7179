package io.guimo.inference.llama;

import io.guimo.data.Catalogue;
import io.guimo.data.CatalogueOptions;
import io.guimo.data.Dataset;
import io.guimo.data.FetchProgress;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.Sampling;
import io.guimo.inference.generate.SchedulerSettings;
import io.guimo.text.Tokenizer;
import io.guimo.text.Vocabulary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Where the tests find the model and the library that they run on. */
final class LlamaParts {
    /**
     * What SmolLM2 continues so surely that no rounding changes it: its likeliest token is each time 1.7 nats or more ahead, while the order in which
     * a batch adds up its sums moves a logit by tenths. Recorded from llama.cpp's own llama-server (the source release of llama-cpp-python 0.3.36;
     * {@code POST /completion} with temperature 0, {@code return_tokens} and {@code n_probs}).
     */
    record Count(String prompt, String answer) {
        int[] tokens() {
            return ids(prompt).stream().mapToInt(id -> id).toArray();
        }

        List<Integer> answerTokens() {
            return ids(answer);
        }

        GenerationRequest request() {
            return LlamaParts.request(tokens(), answer.length());
        }

        /** In SmolLM2's vocabulary every character of these texts is a token. */
        private static List<Integer> ids(String text) {
            return text.chars()
                    .map(c -> switch (c) {
                        case ',' -> 28;
                        case ' ' -> 216;
                        default -> 32 + Character.digit(c, 10);
                    })
                    .boxed()
                    .toList();
        }
    }

    static final List<Count> COUNTS = List.of(
            new Count("1, 2, 3, 4, 5, 6, 7,", " 8, 9, 10, 11, 12, 13, 14, 15,"),
            new Count("20, 21, 22, 23, 24, 25,", " 26, 27, 28, 29, 30, 31, 32, 3"),
            new Count("100, 200, 300, 400,", " 500, 600, 700, 800, 900, 1000"),
            new Count("2, 4, 6, 8, 10, 12,", " 14, 16, 18, 20, 22, 24, 26, 2"));

    private static final Path HOME = Path.of(System.getProperty("user.home"), ".guimo");

    private LlamaParts() {}

    /** SmolLM2-135M-Instruct, Q4_1: 49,152 tokens, 30 layers, trained with 8,192 positions. */
    static Path smolLm2() {
        return catalogued("smollm2-135m-instruct").file("model.gguf");
    }

    /** The folder of llama.cpp's shared libraries. */
    static Path llamaCpp() {
        return catalogued("llama-cpp").folder();
    }

    /** Of as many tokens as the model has, with bytes that mean nothing. */
    static Vocabulary vocabulary() {
        byte[][] bytes = new byte[49_152][];
        for (int id = 0; id < bytes.length; id++)
            bytes[id] = Integer.toString(id).getBytes(StandardCharsets.US_ASCII);
        return new Vocabulary(bytes, new boolean[bytes.length]);
    }

    static GenerationRequest request(int[] prompt, int maxTokens) {
        return new GenerationRequest(
                prompt, maxTokens, Sampling.GREEDY, -1, null, Set.of(), "organisation", 0, null, null);
    }

    static GenerationRequest request(int[] prompt, int maxTokens, String adapter) {
        return new GenerationRequest(
                prompt, maxTokens, Sampling.GREEDY, -1, null, Set.of(), "organisation", 0, null, adapter);
    }

    /** Up to eight sequences at once in 512 positions, one thread. */
    static LlamaTextGenerator.Model model(Path gguf) {
        return new LlamaTextGenerator.Model(
                llamaCpp(),
                gguf,
                new LlamaSettings(256, 512, 16, 128, 1),
                new SchedulerSettings("smol", "1", 8, 32, 32, 4096),
                vocabulary());
    }

    static LlamaTextGenerator open(Path gguf) throws IOException, InterruptedException {
        return new LlamaTextGenerator(model(gguf), tokenizer(), Optional.empty(), Set.of(2), fraction -> {});
    }

    /** A tokenizer that is handed on and never asked. */
    static Tokenizer tokenizer() throws IOException {
        Path file = Files.createTempFile("tokenizer", ".json");
        try {
            Files.writeString(file, """
                    {"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
                     "post_processor": null, "decoder": null, "truncation": null, "padding": null,
                     "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1}, "unk_token": "a"}}
                    """);
            return Tokenizer.open(file, 512, HOME.resolve("cache/tokenizers"));
        } finally {
            Files.delete(file);
        }
    }

    /** Fetched once a machine. */
    private static Dataset catalogued(String name) {
        return Catalogue.standard().get(name, new CatalogueOptions(HOME, null, FetchProgress.NONE));
    }
}
