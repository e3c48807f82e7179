package io.guimo.inference.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.guimo.inference.EngineFailed;
import io.guimo.inference.InvalidInput;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.TokenStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LoRA adapters in GGUF beside SmolLM2. */
class LlamaAdapterTest {
    private static final LlamaParts.Count COUNT = LlamaParts.COUNTS.getFirst();
    private static final int WIDTH = 576;
    private static final int RANK = 4;

    @Test
    void adapters_loadedBesideTheModel_changeTheirOwnAnswersOnly(@TempDir Path folder) throws Exception {
        Path nothing = adapter(folder.resolve("nothing.gguf"), 0);
        Path strong = adapter(folder.resolve("strong.gguf"), 2);
        try (LlamaTextGenerator engine = LlamaParts.open(LlamaParts.smolLm2())) {
            assertThatIOException()
                    .isThrownBy(() -> engine.loadAdapter("none", LlamaParts.smolLm2()))
                    .withMessageContaining("does not fit");
            engine.loadAdapter("nothing", nothing);
            engine.loadAdapter("strong", strong);
            assertThatIOException()
                    .isThrownBy(() -> engine.loadAdapter("strong", strong))
                    .withMessageContaining("already");

            List<Integer> changed = answer(engine, "strong");
            assertThat(answer(engine, "nothing")).isEqualTo(COUNT.answerTokens());
            assertThat(WorkerDeaths.answerOf(engine, COUNT)).isEqualTo(COUNT.answerTokens());
            assertThat(changed).isNotEqualTo(COUNT.answerTokens());

            ProcessHandle.of(engine.workerPid().orElseThrow()).orElseThrow().destroyForcibly();
            assertThat(answer(engine, "strong"))
                    .as("the next worker has it too")
                    .isEqualTo(changed);

            engine.dropAdapter("strong");
            assertThatExceptionOfType(InvalidInput.class)
                    .isThrownBy(() -> engine.generate(LlamaParts.request(COUNT.tokens(), 1, "strong")))
                    .withMessageContaining("strong");
            assertThat(answer(engine, "nothing")).isEqualTo(COUNT.answerTokens());
        }
    }

    private static List<Integer> answer(LlamaTextGenerator engine, String adapter) throws InterruptedException {
        while (true) {
            try (TokenStream stream = engine.generate(LlamaParts.request(COUNT.tokens(), 30, adapter))) {
                List<Integer> ids = new ArrayList<>();
                for (Optional<GeneratedToken> t = stream.next(); t.isPresent(); t = stream.next())
                    ids.add(t.get().id());
                return ids;
            } catch (EngineFailed dead) {
                Thread.sleep(20);
            }
        }
    }

    /** An adapter of the first layer's queries, as {@code gguf.md} of the GGUF project lays files out. */
    private static Path adapter(Path file, float scale) throws IOException {
        ByteBuffer gguf = ByteBuffer.allocate(100_000).order(ByteOrder.LITTLE_ENDIAN);
        gguf.put("GGUF".getBytes(StandardCharsets.US_ASCII))
                .putInt(3)
                .putLong(2)
                .putLong(4);
        text(gguf, "general.type", "adapter");
        text(gguf, "general.architecture", "llama");
        text(gguf, "adapter.type", "lora");
        put(gguf, "adapter.lora.alpha");
        gguf.putInt(6).putFloat(RANK); // float32
        tensor(gguf, "blk.0.attn_q.weight.lora_a", WIDTH, RANK, 0);
        tensor(gguf, "blk.0.attn_q.weight.lora_b", RANK, WIDTH, 4L * WIDTH * RANK);
        while (gguf.position() % 32 != 0) gguf.put((byte) 0);
        Random random = new Random(5);
        for (int i = 0; i < WIDTH * RANK; i++) gguf.putFloat((float) random.nextGaussian());
        for (int i = 0; i < WIDTH * RANK; i++) gguf.putFloat(scale * (float) random.nextGaussian());
        byte[] bytes = new byte[gguf.position()];
        gguf.get(0, bytes);
        return Files.write(file, bytes);
    }

    private static void put(ByteBuffer gguf, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        gguf.putLong(bytes.length).put(bytes);
    }

    private static void text(ByteBuffer gguf, String key, String value) {
        put(gguf, key);
        gguf.putInt(8);
        put(gguf, value);
    }

    private static void tensor(ByteBuffer gguf, String name, long first, long second, long offset) {
        put(gguf, name);
        gguf.putInt(2).putLong(first).putLong(second).putInt(0).putLong(offset); // float32
    }
}
