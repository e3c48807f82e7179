package io.guimo.inference.llama;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.inference.Started;
import io.guimo.inference.generate.DecoderBackend;
import io.guimo.inference.generate.DecoderBatch;
import io.guimo.inference.generate.NetworkBackendContract;
import io.guimo.inference.torch.TorchDecoderBackend;
import io.guimo.inference.torch.TorchDecoderSettings;
import io.guimo.model.decoder.Decoder;
import io.guimo.model.decoder.GgufDecoder;
import io.guimo.model.decoder.Lora;
import io.guimo.model.decoder.LoraSettings;
import io.guimo.model.gguf.GgufFile;
import io.guimo.model.gguf.GgufTensorType;
import io.guimo.tensor.DType;
import io.guimo.tensor.RandomState;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.TorchExecutor;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** SmolLM2 by libtorch against llama.cpp: the weights of the same file, taken out of their blocks. */
class LlamaCppAgreementTest {
    private static final int WINDOW = 256;

    private static final JsonNode RECORDED = recorded();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    /** llama.cpp keeps keys and values in 16 bits: measured, a log probability moves by up to .01 nats. */
    @Test
    void forward_recordedPlaces_agreesWithLlamaCppOnOurExport() {
        onTorch(network -> {
            float[] logits = network.forward(Tensor.of(tokens(0), 1, WINDOW))
                    .logSoftmax(2)
                    .toFloats();
            for (JsonNode place : RECORDED.get("likeliest")) {
                int vocabulary = network.config().vocabularySize();
                int from = place.get(0).intValue() * vocabulary;
                MemorySegment row =
                        MemorySegment.ofArray(java.util.Arrays.copyOfRange(logits, from, from + vocabulary));
                int likeliest = NetworkBackendContract.argmax(row);
                if (place.get(3).doubleValue() > .03)
                    assertThat(likeliest).isEqualTo(place.get(1).intValue());
                assertThat(row.getAtIndex(ValueLayout.JAVA_FLOAT, place.get(1).intValue()))
                        .isCloseTo(place.get(2).floatValue(), org.assertj.core.api.Assertions.within(.02f));
            }
        });
    }

    @Test
    @Tag("long")
    void logits_twoThousandPlaces_agreeWithLlamaCpp() throws IOException {
        Path export = folder.resolve("f32.gguf");
        onTorch(network -> {
            try (GgufFile original = GgufFile.open(LlamaParts.smolLm2())) {
                GgufDecoder.write(export, network, GgufTensorType.F32, original.metadata());
            }
        });
        try (DecoderBackend ours = torch()) {
            Agreement exact = compare(ours, export);
            System.out.println("our F32 export: " + exact);
            assertThat(exact.places).isGreaterThanOrEqualTo(2_000);
            assertThat(exact.sameLikeliest()).isGreaterThanOrEqualTo(.99);
            assertThat(exact.meanDivergence()).isLessThan(1e-4);
            Agreement packed = compare(ours, LlamaParts.smolLm2());
            System.out.println("its Q4_1 file: " + packed);
            assertThat(packed.sameLikeliest()).isGreaterThan(.95);
            assertThat(packed.meanDivergence()).isLessThan(.01);
            greedyTextsPartOnlyAtNearTies(ours, export);
        }
    }

    /** An adapter drawn at random, written for llama.cpp: the same answers, others than without it. */
    @Test
    @Tag("long")
    void adapter_writtenForLlamaCpp_agrees() throws IOException {
        Path export = folder.resolve("f32.gguf");
        Path adapter = folder.resolve("adapter.gguf");
        TorchExecutor executor = Started.torch().newExecutor("adapted", 1, 1);
        Decoder network = executor.call(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients();
                    GgufFile original = GgufFile.open(LlamaParts.smolLm2())) {
                Decoder read = GgufDecoder.read(original, DType.FLOAT32);
                GgufDecoder.write(export, read, GgufTensorType.F32, original.metadata());
                RandomState.seed(5);
                Lora lora = Lora.attach(
                        read, new LoraSettings(4, 8, 0, Set.of("q_proj", "k_proj", "v_proj", "o_proj", "down_proj")));
                read.evaluate();
                read.parameters().forEach((name, tensor) -> {
                    if (name.contains("lora_B")) tensor.copyInPlace(Tensor.normal(0, .2, tensor.shape()));
                });
                lora.writeGguf(adapter);
                return read;
            }
        });
        LlamaLibrary library = LlamaLibrary.open(LlamaParts.llamaCpp());
        LlamaSettings settings = new LlamaSettings(WINDOW, WINDOW, 1, WINDOW, 1);
        try (DecoderBackend ours = new TorchDecoderBackend(
                        network, executor, new TorchDecoderSettings(WINDOW, 64L << 20, 2, WINDOW));
                LlamaModel model = new LlamaModel(library, export, fraction -> {});
                LlamaBackend theirs = new LlamaBackend(model, settings, adapter);
                LlamaBackend without = new LlamaBackend(model, settings, null)) {
            DecoderBatch batch = new DecoderBatch(WINDOW);
            int[] tokens = tokens(0);
            for (int i = 0; i < WINDOW; i++) batch.add(tokens[i], i, 0, i == WINDOW - 1);
            float[][] answers = new float[3][];
            DecoderBackend[] backends = {ours, theirs, without};
            for (int i = 0; i < 3; i++) {
                backends[i].evaluate(batch);
                answers[i] = backends[i].logits(WINDOW - 1).toArray(ValueLayout.JAVA_FLOAT);
            }
            assertThat(NetworkBackendContract.divergence(answers[1], answers[0]))
                    .isLessThan(1e-4);
            assertThat(NetworkBackendContract.divergence(answers[2], answers[0]))
                    .isGreaterThan(.05);
        }
    }

    private record Agreement(int places, int same, double divergences) {
        double sameLikeliest() {
            return (double) same / places;
        }

        double meanDivergence() {
            return divergences / places;
        }

        @Override
        public String toString() {
            return "%d places, the likeliest token the same %.4f, mean divergence %.7f nats"
                    .formatted(places, sameLikeliest(), meanDivergence());
        }
    }

    private static Agreement compare(DecoderBackend ours, Path gguf) throws IOException {
        int places = 0;
        int same = 0;
        double divergences = 0;
        LlamaLibrary library = LlamaLibrary.open(LlamaParts.llamaCpp());
        try (LlamaModel model = new LlamaModel(library, gguf, fraction -> {});
                LlamaBackend theirs =
                        new LlamaBackend(model, new LlamaSettings(WINDOW, WINDOW, WINDOW, WINDOW, 1), null)) {
            for (int window = 0; window < 8; window++) {
                DecoderBatch batch = new DecoderBatch(WINDOW);
                int[] tokens = tokens(window);
                for (int i = 0; i < WINDOW; i++) batch.add(tokens[i], i, 0, true);
                ours.evaluate(batch);
                theirs.evaluate(batch);
                for (int i = 0; i < WINDOW; i++) {
                    places++;
                    if (NetworkBackendContract.argmax(ours.logits(i))
                            == NetworkBackendContract.argmax(theirs.logits(i))) {
                        same++;
                    }
                    divergences += NetworkBackendContract.divergence(
                            theirs.logits(i).toArray(ValueLayout.JAVA_FLOAT),
                            ours.logits(i).toArray(ValueLayout.JAVA_FLOAT));
                }
                ours.forget(0, 0);
                theirs.forget(0, 0);
            }
        }
        return new Agreement(places, same, divergences);
    }

    /** Both read what they agreed on; where they would part, the two tokens are all but equally likely. */
    private static void greedyTextsPartOnlyAtNearTies(DecoderBackend ours, Path gguf) throws IOException {
        LlamaLibrary library = LlamaLibrary.open(LlamaParts.llamaCpp());
        int parted = 0;
        try (LlamaModel model = new LlamaModel(library, gguf, fraction -> {});
                LlamaBackend theirs = new LlamaBackend(model, new LlamaSettings(WINDOW, WINDOW, 1, WINDOW, 1), null)) {
            for (LlamaParts.Count count : LlamaParts.COUNTS) {
                int[] prompt = count.tokens();
                DecoderBatch batch = new DecoderBatch(WINDOW);
                for (int i = 0; i < prompt.length; i++) batch.add(prompt[i], i, 0, i == prompt.length - 1);
                for (int step = 0; step < 30; step++) {
                    ours.evaluate(batch);
                    theirs.evaluate(batch);
                    int last = batch.size() - 1;
                    int next = NetworkBackendContract.argmax(ours.logits(last));
                    int other = NetworkBackendContract.argmax(theirs.logits(last));
                    if (next != other) {
                        parted++;
                        float behind = ours.logits(last).getAtIndex(ValueLayout.JAVA_FLOAT, next)
                                - ours.logits(last).getAtIndex(ValueLayout.JAVA_FLOAT, other);
                        System.out.println("greedy texts part where the second lies " + behind + " nats behind");
                        assertThat(behind).isLessThan(.02f); // keys and values of 16 bits there
                    }
                    batch.clear();
                    batch.add(next, prompt.length + step, 0, true);
                }
                ours.forget(0, 0);
                theirs.forget(0, 0);
            }
        }
        System.out.println("greedy texts of 120 tokens part " + parted + " times");
    }

    private static DecoderBackend torch() {
        TorchExecutor executor = Started.torch().newExecutor("agreement", 1, 1);
        Decoder network = executor.call(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                return GgufDecoder.read(LlamaParts.smolLm2(), DType.FLOAT32);
            }
        });
        return new TorchDecoderBackend(network, executor, new TorchDecoderSettings(WINDOW, 64L << 20, 2, WINDOW));
    }

    private interface Work {
        void with(Decoder network) throws IOException;
    }

    private static void onTorch(Work work) {
        Started.torch().executor().call(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients();
                    Decoder network = GgufDecoder.read(LlamaParts.smolLm2(), DType.FLOAT32)) {
                work.with(network);
            }
            return true;
        });
    }

    private static int[] tokens(int window) {
        int[] tokens = new int[WINDOW];
        for (int i = 0; i < WINDOW; i++) {
            tokens[i] = RECORDED.get("tokens").get(window * WINDOW + i).intValue();
        }
        return tokens;
    }

    private static JsonNode recorded() {
        try (InputStream in = LlamaCppAgreementTest.class.getResourceAsStream("agreement.json")) {
            return JsonMapper.shared().readTree(Objects.requireNonNull(in));
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        }
    }
}
