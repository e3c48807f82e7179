package io.guimo.inference.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.guimo.inference.EngineFailed;
import io.guimo.inference.generate.TokenStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What goes wrong around a worker: its file, its silence, its server. */
class LlamaFaultsTest {
    @Test
    void gguf_corruptOrHostile_isRefusedWithAReason(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("model.gguf");
        refused(file, new byte[0]);
        byte[] noise = new byte[100_000];
        new Random(1).nextBytes(noise);
        refused(file, noise);
        // counts of tensors and of metadata beyond everything
        refused(
                file,
                littleEndian(64)
                        .put(magic())
                        .putInt(3)
                        .putLong(1L << 62)
                        .putLong(1L << 62)
                        .array());
        // a key of 2^60 bytes
        refused(
                file,
                littleEndian(64)
                        .put(magic())
                        .putInt(3)
                        .putLong(1)
                        .putLong(1)
                        .putLong(1L << 60)
                        .array());
        byte[] start = start();
        refused(file, Arrays.copyOf(start, 50_000)); // ends within the vocabulary
        refused(file, start); // has the header, not the tensors
    }

    @Test
    void gguf_headerThatLies_isRefusedWithAReason(@TempDir Path folder) throws Exception {
        Path file = Files.copy(LlamaParts.smolLm2(), folder.resolve("model.gguf"));
        byte[] start = start();
        // the number behind a key and its type
        refusedWithInt(file, start, "llama.block_count", 1_000_000_000);
        refusedWithInt(file, start, "llama.attention.head_count", 0);
        refusedWithInt(file, start, "llama.embedding_length", Integer.MAX_VALUE);
        // the first dimension behind a name and the number of its dimensions
        int dimension = after(start, "token_embd.weight") + 4;
        patch(file, dimension, littleEndian(8).putLong(1L << 50).array());
        assertRefused(file);
    }

    private static void refusedWithInt(Path file, byte[] start, String key, int value) throws Exception {
        int at = after(start, key) + 4;
        byte[] original = Arrays.copyOfRange(start, at, at + 4);
        patch(file, at, littleEndian(4).putInt(value).array());
        assertRefused(file);
        patch(file, at, original);
    }

    private static void refused(Path file, byte[] content) throws Exception {
        Files.write(file, content);
        assertRefused(file);
    }

    private static void assertRefused(Path file) {
        assertThatIOException()
                .isThrownBy(() -> LlamaParts.open(file).close())
                .satisfies(refusal -> assertThat(refusal.getMessage()).containsAnyOf("model.gguf", "worker of smol"));
    }

    private static byte[] magic() {
        return "GGUF".getBytes(StandardCharsets.US_ASCII);
    }

    private static ByteBuffer littleEndian(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The header of SmolLM2 and the first of its tensors. */
    private static byte[] start() throws IOException {
        try (FileChannel channel = FileChannel.open(LlamaParts.smolLm2(), StandardOpenOption.READ)) {
            ByteBuffer start = ByteBuffer.allocate(4 << 20);
            while (start.hasRemaining()) channel.read(start);
            return start.array();
        }
    }

    private static int after(byte[] start, String text) {
        int at = new String(start, StandardCharsets.ISO_8859_1).indexOf(text);
        assertThat(at).as(text).isPositive();
        return at + text.length();
    }

    private static void patch(Path file, int at, byte[] bytes) throws IOException {
        try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw")) {
            opened.seek(at);
            opened.write(bytes);
        }
    }

    @Test
    void worker_silent_isTakenForHungAndReplaced() throws Exception {
        LlamaTextGenerator.Model model = LlamaParts.model(LlamaParts.smolLm2());
        LlamaParts.Count count = LlamaParts.COUNTS.getFirst();
        try (LlamaTextGenerator engine = new LlamaTextGenerator(
                model, LlamaParts.tokenizer(), Optional.empty(), Set.of(2), fraction -> {}, Duration.ofSeconds(6))) {
            try (TokenStream stream = engine.generate(LlamaParts.request(count.tokens(), 200))) {
                stream.next();
                long pid = engine.workerPid().orElseThrow();
                new ProcessBuilder("kill", "-STOP", Long.toString(pid)).start().waitFor();
                assertThatExceptionOfType(EngineFailed.class)
                        .isThrownBy(() -> {
                            while (stream.next().isPresent()) {
                                // what had arrived before
                            }
                        })
                        .withMessageContaining("silent");
            }
            assertThat(WorkerDeaths.answerOf(engine, count)).isEqualTo(count.answerTokens());
        }
    }

    @Test
    void server_killed_itsWorkerEnds() throws Exception {
        Process server = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        DoomedServer.class.getName())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (BufferedReader said = server.inputReader()) {
            long worker = said.lines()
                    .filter(line -> line.startsWith(DoomedServer.WORKER))
                    .map(line -> Long.parseLong(line.substring(DoomedServer.WORKER.length())))
                    .findFirst()
                    .orElseThrow();
            ProcessHandle handle = ProcessHandle.of(worker).orElseThrow();
            assertThat(handle.isAlive()).isTrue();
            server.destroyForcibly().waitFor();
            while (handle.isAlive()) Thread.sleep(20); // an orphan of this process's has no exit to wait for
        }
    }

    /** A server in whose worker a sequence is under way. */
    static final class DoomedServer {
        static final String WORKER = "worker ";

        public static void main(String[] arguments) throws Exception {
            LlamaTextGenerator engine = LlamaParts.open(LlamaParts.smolLm2());
            TokenStream stream = engine.generate(
                    LlamaParts.request(LlamaParts.COUNTS.getFirst().tokens(), 200));
            stream.next();
            System.out.println(WORKER + engine.workerPid().orElseThrow());
            Thread.sleep(Duration.ofHours(1));
        }
    }

    @Test
    void library_thatIsNone_isRefused(@TempDir Path folder) {
        LlamaTextGenerator.Model good = LlamaParts.model(LlamaParts.smolLm2());
        LlamaTextGenerator.Model bad = new LlamaTextGenerator.Model(
                folder, good.gguf(), good.settings(), good.scheduling(), good.vocabulary());
        assertThatIOException()
                .isThrownBy(() -> new LlamaTextGenerator(
                        bad, LlamaParts.tokenizer(), Optional.empty(), Set.of(2), fraction -> {}))
                .withMessageContaining("libggml");
    }
}
