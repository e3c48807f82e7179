package io.guimo.serve;

import io.guimo.inference.EngineFailed;
import io.guimo.inference.EngineUsage;
import io.guimo.inference.GeneratorState;
import io.guimo.inference.TextGenerator;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.GenerationEnd;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.TokenStream;
import io.guimo.text.ChatTemplate;
import io.guimo.text.Tokenizer;
import io.guimo.text.Vocabulary;
import io.guimo.units.Meter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A language model without weights that says what it is told to, a byte a token. It computes as fast as it can, ahead of its reader, like an engine
 * that has nothing else to do.
 */
public final class ScriptedGenerator implements TextGenerator {
    /** The two marks of its template; all tokens before them are bytes. */
    private static final int START = 256;

    private static final int END = 257;
    private static final Path FOLDER = Path.of("target/scripted-tokenizer");

    /**
     * What it says.
     *
     * @param pauseMillis before the first token, which a closed stream cuts short
     * @param failsAfter tokens after which the engine dies; −1: it lives
     * @param everyMillis between tokens
     */
    public record Script(String text, int cachedTokens, long pauseMillis, int failsAfter, long everyMillis) {
        public Script(String text, int cachedTokens, long pauseMillis, int failsAfter) {
            this(text, cachedTokens, pauseMillis, failsAfter, 0);
        }

        public static Script of(String text) {
            return new Script(text, 0, 0, -1);
        }
    }

    private final String name;
    private final Tokenizer tokenizer = open();
    private final Vocabulary vocabulary = tokenizer.vocabulary();
    private final List<GenerationRequest> requests = new CopyOnWriteArrayList<>();
    private final AtomicInteger open = new AtomicInteger();
    private volatile Script script = Script.of("ok");

    public ScriptedGenerator(String name) {
        this.name = name;
    }

    public void says(Script next) {
        script = next;
        requests.clear();
    }

    /** What was asked since {@link #says}. */
    public List<GenerationRequest> requests() {
        return requests;
    }

    /** Sequences that were begun and neither ended nor closed. */
    public int openStreams() {
        return open.get();
    }

    /** The text of a prompt, marks of the template left out. */
    public String prompt(GenerationRequest request) {
        return tokenizer.decode(request.prompt());
    }

    @Override
    public TokenStream generate(GenerationRequest request) {
        requests.add(request);
        open.incrementAndGet();
        return new Stream(script, request);
    }

    private final class Stream implements TokenStream {
        private final Script script;
        private final byte[] bytes;
        private final int length;
        private final boolean logprobs;
        private final int alternatives;
        private final CountDownLatch closed = new CountDownLatch(1);
        private int read;
        private @Nullable GenerationEnd end;

        Stream(Script script, GenerationRequest request) {
            this.script = script;
            bytes = script.text().getBytes(StandardCharsets.UTF_8);
            length = Math.min(bytes.length, request.maxTokens());
            logprobs = request.topLogprobs() >= 0;
            alternatives = Math.max(0, request.topLogprobs());
        }

        @Override
        public Optional<GeneratedToken> next() throws InterruptedException {
            long wait = read == 0 ? script.pauseMillis() : script.everyMillis();
            if (wait > 0) {
                boolean _ = closed.await(wait, TimeUnit.MILLISECONDS);
            }
            synchronized (this) {
                if (end != null) return Optional.empty();
                if (read == script.failsAfter()) {
                    finish(GenerationEnd.Reason.CANCELLED);
                    throw new EngineFailed(name, "killed", Duration.ofSeconds(2));
                }
                if (read == length) {
                    finish(length < bytes.length ? GenerationEnd.Reason.LENGTH : GenerationEnd.Reason.STOP);
                    return Optional.empty();
                }
                int id = bytes[read++] & 0xff;
                List<GeneratedToken.Alternative> others = new ArrayList<>();
                for (int i = 0; i < alternatives; i++) {
                    others.add(new GeneratedToken.Alternative((id + i) % 128, -0.5f - i));
                }
                return Optional.of(new GeneratedToken(id, logprobs ? -0.5f : Float.NaN, others));
            }
        }

        @Override
        public synchronized int cachedTokens() {
            return script.cachedTokens();
        }

        @Override
        public synchronized GenerationEnd end() {
            if (end == null) throw new IllegalStateException("the stream has not ended");
            return end;
        }

        @Override
        public void close() {
            finish(GenerationEnd.Reason.CANCELLED);
            closed.countDown();
        }

        private synchronized void finish(GenerationEnd.Reason reason) {
            if (end != null) return;
            open.decrementAndGet();
            // it ran ahead of its reader, unless it was still reading the prompt
            int computed = script.pauseMillis() > 0 && read == 0 ? 0 : length;
            end = new GenerationEnd(reason, script.cachedTokens(), computed, 0);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String version() {
        return "1";
    }

    @Override
    public Set<Meter> meters() {
        return Set.of(Meter.INPUT_TOKENS, Meter.CACHED_INPUT_TOKENS, Meter.OUTPUT_TOKENS);
    }

    private static final String CHAT_ML = """
            {% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}\
            {% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}""";

    @Override
    public GeneratorState state() {
        return GeneratorState.NOTHING;
    }

    @Override
    public EngineUsage usage() {
        return PlainModels.NOTHING;
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public Vocabulary vocabulary() {
        return vocabulary;
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
        return Optional.of(ChatTemplate.of(CHAT_ML, Map.of(), tokenizer.specialTokens(), InstantSource.system()));
    }

    @Override
    public int contextTokens() {
        return 4096;
    }

    @Override
    public Set<Integer> endTokens() {
        return Set.of(END);
    }

    @Override
    public void close() {
        tokenizer.close();
    }

    private static Tokenizer open() {
        try {
            Files.createDirectories(FOLDER);
            Path file = Files.writeString(FOLDER.resolve("tokenizer.json"), tokenizerJson());
            return Tokenizer.open(file, 1 << 20, FOLDER.resolve("native"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Byte-level without merges: GPT-2's letters for bytes (Radford et al. 2019, {@code bytes_to_unicode}), id = byte. */
    private static String tokenizerJson() {
        StringBuilder vocabulary = new StringBuilder();
        int standIn = 256;
        for (int b = 0; b < 256; b++) {
            boolean own = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
            int letter = own ? b : standIn++;
            vocabulary
                    .append("\"")
                    .append(letter == '"' || letter == '\\' ? "\\" : "")
                    .append((char) letter);
            vocabulary.append("\": ").append(b).append(", ");
        }
        String mark =
                "{\"id\": %d, \"content\": \"%s\", \"special\": true, \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": false}";
        return """
                {"version": "1.0", "truncation": null, "padding": null, "normalizer": null,
                 "added_tokens": [%s, %s],
                 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
                 "post_processor": null,
                 "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
                 "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": false, "vocab": {%s "<|im_start|>": 256, "<|im_end|>": 257}, "merges": []}}
                """.formatted(mark.formatted(START, "<|im_start|>"), mark.formatted(END, "<|im_end|>"), vocabulary);
    }
}
