package io.guimo.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guimo.data.DataException;
import io.guimo.evaluate.EvaluationReport;
import io.guimo.model.ArchitectureSettings;
import io.guimo.model.Module;
import io.guimo.model.Safetensors;
import io.guimo.model.decoder.Decoder;
import io.guimo.model.decoder.HuggingFaceFolder;
import io.guimo.tensor.DType;
import io.guimo.tensor.RandomState;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.text.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CorpusLessonTest {
    private static final Path NATIVE = Path.of(System.getProperty("user.home"), ".guimo", "cache", "tokenizers");
    private static final ArchitectureSettings LLAMA = new ArchitectureSettings.Llama(1, 16, 2, 1, 16, 300, 0.0);
    private static final ArchitectureSettings GPT2 = new ArchitectureSettings.Gpt2(1, 16, 2, 16, 300, .1);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    private static CorpusLesson lesson(String text) {
        return CorpusLesson.of(Sentences.corpus(text), NATIVE);
    }

    @Test
    void of_text_splitByPositionIntoAllOfIt() {
        String text = Sentences.text(400, 1);
        CorpusLesson lesson = lesson(text);
        int characters = text.codePointCount(0, text.length());
        int dropped = lesson.contamination().dropped().size();
        assertThat(lesson.trainingRows() + lesson.validationRows() + lesson.testRows() + dropped)
                .isEqualTo(characters);
        assertThat(lesson.testRows()).isEqualTo(characters - (int) (characters * .9));
        assertThat(lesson.validationRows())
                .isCloseTo((int) (.1 * (characters - lesson.testRows() - dropped)), within(1));
    }

    @Test
    void of_passageOfTheTestPartInTheHead_dropped() {
        String head = Sentences.text(300, 2);
        String tail = "Upon that very evening, which nobody in the house expected, seven tall strangers knocked. ";
        String text = head + tail + head.substring(0, 3000).replace("cat", "hen") + Sentences.text(300, 3) + tail;
        CorpusLesson lesson = lesson(text);
        int characters = text.codePointCount(0, text.length());
        int begin = head.codePointCount(0, head.length());
        assertThat(lesson.contamination().pairs())
                .anySatisfy(pair -> assertThat(pair.trainingRow()).isEqualTo(begin));
        assertThat(lesson.contamination().dropped()).contains(begin, begin + 40);
        assertThat(lesson.trainingRows() + lesson.validationRows() + lesson.testRows())
                .isEqualTo(characters - lesson.contamination().dropped().size());
    }

    @Test
    void of_littleText_refused() {
        assertThatThrownBy(() -> lesson("Too little."))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("11 characters; at least 2000");
    }

    @Test
    void problem_architectureOfAnotherTask_refused() {
        assertThatThrownBy(() -> lesson(Sentences.text(300, 1)).problem(new ArchitectureSettings.Resnet(8)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("llama or gpt2");
        assertThatThrownBy(() -> lesson(Sentences.text(80, 1))
                        .problem(new ArchitectureSettings.Llama(1, 16, 2, 1, 8192, 300, 0.0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("lower architecture.context");
    }

    @Test
    void batch_windows_targetsAreTheNextTokensAndPhasesDiffer() throws IOException {
        CorpusLesson lesson = lesson(Sentences.text(400, 1));
        TrainingProblem problem = lesson.problem(LLAMA);
        TestTorch.call(() -> {
            try (TensorScope _ = TensorScope.open()) {
                int[] examples = {0, 1, problem.exampleCount() - 1};
                Batch batch = problem.batch(examples, new SplittableRandom(5));
                assertThat(batch.inputs().shape()).containsExactly(3, 16);
                long[] inputs = batch.inputs().toLongs();
                long[] targets = batch.targets().toLongs();
                for (int w = 0; w < 3; w++) {
                    assertThat(Arrays.copyOfRange(targets, 16 * w, 16 * w + 15))
                            .isEqualTo(Arrays.copyOfRange(inputs, 16 * w + 1, 16 * w + 16));
                }
                assertThat(problem.batch(examples, new SplittableRandom(5))
                                .inputs()
                                .toLongs())
                        .isEqualTo(inputs);
                assertThat(problem.batch(examples, new SplittableRandom(6))
                                .inputs()
                                .toLongs())
                        .isNotEqualTo(inputs);
                assertThat(LongStream.of(inputs)).allMatch(token -> token >= 0 && token < 300);
            }
            return "";
        });
        assertThat(problem.tokensPerExample()).isEqualTo(16);
    }

    @Test
    void judge_networkThatKnowsNothing_costsTheLogarithmOfTheVocabularyPerToken() throws IOException {
        String text = Sentences.text(400, 1);
        CorpusLesson lesson = lesson(text);
        for (ArchitectureSettings architecture : new ArchitectureSettings[] {LLAMA, GPT2}) {
            TrainingProblem problem = lesson.problem(architecture);
            Module network = TestTorch.call(() -> {
                try (TensorScope _ = TensorScope.openWithoutGradients()) {
                    Module built = problem.build();
                    built.parameters().values().forEach(parameter -> parameter.fillInPlace(0));
                    return built;
                }
            });
            EvaluationReport report = lesson.judge(network, TestTorch.start().executor());
            int[] characters = text.codePoints().toArray();
            int cut = (int) (characters.length * .9);
            String test = new String(characters, cut, characters.length - cut);
            byte[] tokenizerJson =
                    Objects.requireNonNull(lesson.companions(architecture).get("tokenizer.json"));
            Path file = Files.write(folder.resolve("t.json"), tokenizerJson);
            try (Tokenizer tokenizer = Tokenizer.open(file, 1 << 20, NATIVE)) {
                double expected = tokenizer.count(test) * Math.log(300) / (characters.length - cut);
                assertThat(report.metrics().get("natsPerCharacter")).isCloseTo(expected, within(1e-5));
            }
            // counting knows the sentences, this network nothing
            assertThat(report.beatsBaselines()).isFalse();
            assertThat(report.baselines().getFirst().advantage())
                    .hasEntrySatisfying("natsPerCharacter", advantage -> assertThat(advantage.upper())
                            .isNegative());
            network.close();
        }
    }

    /** The sliding windows against one token at a time, each from the window that the rule gives it. */
    @Test
    void validate_network_equalsOneTokenAtATime() {
        String text = Sentences.text(120, 1);
        CorpusLesson lesson = lesson(text);
        TrainingProblem problem = lesson.problem(LLAMA);
        Map<String, byte[]> companions = lesson.companions(LLAMA);
        TestTorch.call(() -> {
            RandomState.seed(3);
            try (TensorScope _ = TensorScope.openWithoutGradients();
                    Module network = problem.build()) {
                network.parameters().values().forEach(parameter -> parameter.multiplyInPlace(5)); // far from uniform
                network.evaluate();
                int[] characters = text.codePoints().toArray();
                int cut = (int) (characters.length * .9);
                int begin = (int) ((cut - lesson.contamination().dropped().size()) * .9);
                assertThat(lesson.contamination().dropped()).isEmpty();
                Path file =
                        Files.write(folder.resolve("t.json"), Objects.requireNonNull(companions.get("tokenizer.json")));
                try (Tokenizer tokenizer = Tokenizer.open(file, 1 << 20, NATIVE)) {
                    int[] before = tokenizer.encode(new String(characters, 0, begin));
                    int[] part = tokenizer.encode(new String(characters, begin, cut - begin));
                    int[] all = new int[16 + part.length];
                    System.arraycopy(before, before.length - 16, all, 0, 16);
                    System.arraycopy(part, 0, all, 16, part.length);
                    double sum = 0;
                    for (int i = 0; i < part.length; i++) {
                        int end = Math.min((i / 8 + 1) * 8, part.length) + 16; // its window ends with the stride of 8
                        int[] inputs = Arrays.copyOfRange(all, end - 17, 16 + i);
                        float[] logits = network.forward(Tensor.of(inputs, 1, inputs.length))
                                .narrow(1, inputs.length - 1, 1)
                                .reshape(1, 300)
                                .logSoftmax(1)
                                .toFloats();
                        sum -= logits[part[i]];
                    }
                    assertThat(problem.validate(network).get("natsPerCharacter"))
                            .isCloseTo(sum / (cut - begin), within(1e-5));
                }
            }
            return "";
        });
    }

    @Test
    void companions_withWeights_readAsAHuggingFaceFolder() throws IOException {
        CorpusLesson lesson = lesson(Sentences.text(300, 1));
        for (ArchitectureSettings architecture : new ArchitectureSettings[] {LLAMA, GPT2}) {
            for (Map.Entry<String, byte[]> file :
                    lesson.companions(architecture).entrySet()) {
                Files.write(folder.resolve(file.getKey()), file.getValue());
            }
            assertThat(Files.readString(folder.resolve("config.json"), StandardCharsets.UTF_8))
                    .contains("\"vocab_size\" : 300");
            TestTorch.call(() -> {
                try (TensorScope _ = TensorScope.openWithoutGradients();
                        Module built = lesson.problem(architecture).build()) {
                    built.evaluate();
                    Safetensors.write(folder.resolve("model.safetensors"), built.state(), Map.of());
                    try (Decoder read = HuggingFaceFolder.read(folder, DType.FLOAT32)) {
                        Tensor tokens = Tensor.of(new int[] {1, 2, 3, 4}, 1, 4);
                        assertThat(read.forward(tokens).sameAs(built.forward(tokens)))
                                .isTrue();
                    }
                }
                return "";
            });
        }
    }
}
