package io.guimo.task;

import io.guimo.data.ContaminationReport;
import io.guimo.data.Corpus;
import io.guimo.data.DataException;
import io.guimo.data.Fingerprint;
import io.guimo.data.SharedPassages;
import io.guimo.evaluate.Bootstrap;
import io.guimo.evaluate.CharacterNgrams;
import io.guimo.evaluate.EvaluationReport;
import io.guimo.evaluate.EvaluationReport.BaselineResult;
import io.guimo.evaluate.Metrics;
import io.guimo.model.ArchitectureSettings;
import io.guimo.model.Module;
import io.guimo.model.decoder.Decoder;
import io.guimo.model.decoder.DecoderConfig;
import io.guimo.model.decoder.Gpt2Config;
import io.guimo.model.decoder.LlamaConfig;
import io.guimo.model.decoder.RotaryScaling;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.TorchExecutor;
import io.guimo.text.BytePairTrainer;
import io.guimo.text.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;

/**
 * Running text to learn {@link GenerateText} from nothing: what comes next after the tokens so far.
 *
 * <p>Split by position, since neighbouring lines say much the same: the last tenth of the characters judges, the last tenth of what stands before it
 * chooses, the rest is learnt from, and from that alone the tokenizer. Figures are in nats per character, so that decoders of any tokenizer compare with
 * each other and with counting. Several documents are one text, parted by a blank line.
 *
 * <p>Letters: B batch, T tokens of a window, V tokens known.
 */
public final class CorpusLesson implements Lesson {
    /** Of all characters; the house's fifth would leave less to learn, and the figures of others are for a tenth. */
    private static final double TEST_TENTH = .1;

    /**
     * A passage of the test part as long as this counts as known if the rest has it too, in letters and digits. About two lines of verse: shorter ones
     * are turns of phrase that a language repeats.
     */
    static final int PASSAGE_LETTERS = 60;

    private static final int LEAST_CHARACTERS = 2_000;

    /** Beyond this many characters counting takes more memory than it is worth: it counts the last of them. */
    private static final int MOST_COUNTED = 4_000_000;

    /** Characters of a block, the example of intervals: what stands this close together is not independent. */
    private static final int BLOCK_CHARACTERS = 1_000;

    /** Characters given to the tokenizer at once. */
    private static final int PIECE_CHARACTERS = 1 << 16;

    /** Windows judged at once. */
    private static final int JUDGED_WINDOWS = 16;

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Corpus corpus;
    private final Path nativeFolder;
    private final int[] training; // code points, as all parts
    private final int[] validation;
    private final int[] test;
    private final ContaminationReport contamination;
    private final List<String> notes;
    private final Map<Integer, Tokens> tokensBySize = new ConcurrentHashMap<>(); // seconds to make, always the same

    private CorpusLesson(
            Corpus corpus,
            Path nativeFolder,
            int[] training,
            int[] validation,
            int[] test,
            ContaminationReport contamination,
            List<String> notes) {
        this.corpus = corpus;
        this.nativeFolder = nativeFolder;
        this.training = training;
        this.validation = validation;
        this.test = test;
        this.contamination = contamination;
        this.notes = List.copyOf(notes);
    }

    /**
     * @param nativeFolder where the tokenizer's library unpacks its native part
     * @throws DataException if there is too little text to learn from
     */
    public static CorpusLesson of(Corpus corpus, Path nativeFolder) {
        int[] text = String.join(
                        "\n\n",
                        corpus.documents().stream().map(Corpus.Document::text).toList())
                .codePoints()
                .toArray();
        if (text.length < LEAST_CHARACTERS) {
            throw new DataException(
                    DataException.Code.MALFORMED,
                    corpus.name() + " has " + text.length + " characters; at least " + LEAST_CHARACTERS
                            + " are needed to learn and to judge anything");
        }
        int cut = (int) (text.length * (1 - TEST_TENTH));
        int[] head = Arrays.copyOf(text, cut);
        int[] test = Arrays.copyOfRange(text, cut, text.length);
        List<SharedPassages.Passage> shared = SharedPassages.find(head, test, PASSAGE_LETTERS);
        int[] kept = without(head, shared);
        int begin = (int) (kept.length * (1 - VALIDATION_SHARE));
        List<String> notes = List.of(
                String.format(
                        Locale.ROOT,
                        "%s: %,d characters in %d documents; by position %,d to learn from, %,d to choose on, the last %,d to judge by",
                        corpus.name(),
                        text.length,
                        corpus.documents().size(),
                        begin,
                        kept.length - begin,
                        test.length),
                shared.isEmpty()
                        ? "no passage of " + PASSAGE_LETTERS + " letters of the last part stands before it"
                        : shared.size() + " passages (" + (head.length - kept.length)
                                + " characters) that the last part has too were dropped before it");
        return new CorpusLesson(
                corpus,
                nativeFolder,
                Arrays.copyOf(kept, begin),
                Arrays.copyOfRange(kept, begin, kept.length),
                test,
                new ContaminationReport(
                        "passages of at least " + PASSAGE_LETTERS
                                + " letters and digits that are equal without blanks, punctuation and case; rows are characters",
                        0,
                        head.length,
                        test.length,
                        shared.stream()
                                .map(passage -> new ContaminationReport.Pair(passage.from(), passage.otherFrom(), 0))
                                .toList(),
                        shared.stream()
                                .flatMapToInt(passage -> IntStream.range(passage.from(), passage.to()))
                                .boxed()
                                .toList()),
                notes);
    }

    private static int[] without(int[] text, List<SharedPassages.Passage> passages) {
        int[] kept = new int[text.length];
        int length = 0;
        int from = 0;
        for (SharedPassages.Passage passage : passages) {
            System.arraycopy(text, from, kept, length, passage.from() - from);
            length += passage.from() - from;
            from = passage.to();
        }
        System.arraycopy(text, from, kept, length, text.length - from);
        return Arrays.copyOf(kept, length + text.length - from);
    }

    @Override
    public Task task() {
        return new GenerateText();
    }

    @Override
    public FittedSteps.Text steps() {
        return new FittedSteps.Text(BytePairTrainer.END_OF_TEXT);
    }

    @Override
    public ContaminationReport contamination() {
        return contamination;
    }

    @Override
    public Map<String, Fingerprint> fingerprints() {
        return corpus.fingerprints();
    }

    /** Characters. */
    @Override
    public int trainingRows() {
        return training.length;
    }

    /** Characters. */
    @Override
    public int validationRows() {
        return validation.length;
    }

    /** Characters. */
    @Override
    public int testRows() {
        return test.length;
    }

    @Override
    public List<String> notes() {
        return notes;
    }

    /** {@code tokenizer.json} and {@code config.json}: with the weights, what transformers loads. */
    @Override
    public Map<String, byte[]> companions(ArchitectureSettings architecture) {
        Shape shape = shape(architecture);
        return Map.of(
                "tokenizer.json",
                shape.tokens.learnt.json().getBytes(StandardCharsets.UTF_8),
                "config.json",
                JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(shape.config.toJson()));
    }

    @Override
    public TrainingProblem problem(ArchitectureSettings architecture) {
        return new Problem(shape(architecture));
    }

    /**
     * What settings make of this text.
     *
     * @param hidden share of the embeddings' features hidden in training by the problem, where the network has no dropout of its own
     */
    private record Shape(DecoderConfig config, Tokens tokens, double hidden) {}

    private Shape shape(ArchitectureSettings architecture) {
        return switch (architecture) {
            case ArchitectureSettings.Llama llama -> {
                Tokens tokens = tokens(llama.vocabulary());
                yield new Shape(config(llama, tokens), tokens, llama.dropout());
            }
            case ArchitectureSettings.Gpt2 gpt2 -> {
                Tokens tokens = tokens(gpt2.vocabulary());
                yield new Shape(
                        new Gpt2Config(
                                tokens.learnt.vocabularySize(),
                                gpt2.context(),
                                gpt2.width(),
                                gpt2.layers(),
                                gpt2.heads(),
                                4 * gpt2.width(),
                                1e-5,
                                gpt2.dropout(),
                                0, // with dropout in it attention loses its fast kernel on a CPU
                                gpt2.dropout(),
                                Set.of(0)),
                        tokens,
                        0);
            }
            case ArchitectureSettings.Resnet _, ArchitectureSettings.LinearAutoencoder _ ->
                throw new IllegalArgumentException("generate-text learns by a decoder, not by " + architecture
                        + ": set architecture.kind to llama or gpt2");
        };
    }

    /** A feed-forward part of 8/3 of the width, as many numbers as two matrices of 4 would have (Shazeer 2020), rounded up to whole vectors of 32. */
    private static LlamaConfig config(ArchitectureSettings.Llama llama, Tokens tokens) {
        int inner = (8 * llama.width() / 3 + 31) / 32 * 32;
        return new LlamaConfig(
                LlamaConfig.Family.LLAMA,
                tokens.learnt.vocabularySize(),
                llama.context(),
                llama.width(),
                inner,
                llama.layers(),
                llama.heads(),
                llama.kvHeads(),
                llama.width() / llama.heads(),
                1e-5,
                10_000,
                new RotaryScaling.None(),
                true, // a second table of the vocabulary would be half of a small network
                false,
                0,
                Set.of(0));
    }

    /** The text as tokens of a tokenizer learnt from its training part. */
    @SuppressWarnings("ArrayRecordComponent") // large, never compared
    private record Tokens(BytePairTrainer.Learnt learnt, int[] training, int[] validation, int[] test) {}

    private Tokens tokens(int vocabularySize) {
        return tokensBySize.computeIfAbsent(vocabularySize, this::tokenise);
    }

    private Tokens tokenise(int vocabularySize) {
        BytePairTrainer.Learnt learnt = BytePairTrainer.train(List.of(text(training)), vocabularySize);
        try (Tokenizer tokenizer = open(learnt)) {
            return new Tokens(
                    learnt,
                    encode(tokenizer, learnt, training),
                    encode(tokenizer, learnt, validation),
                    encode(tokenizer, learnt, test));
        }
    }

    private Tokenizer open(BytePairTrainer.Learnt learnt) {
        try {
            Path file = Files.createTempFile("tokenizer", ".json");
            try {
                Files.writeString(file, learnt.json());
                return Tokenizer.open(file, Integer.MAX_VALUE, nativeFolder);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String text(int[] characters) {
        return new String(characters, 0, characters.length);
    }

    /** In pieces that end before a blank: no token of this tokenizer holds one that is not at its beginning, so it cuts there by itself. */
    private static int[] encode(Tokenizer tokenizer, BytePairTrainer.Learnt learnt, int[] characters) {
        List<int[]> pieces = new ArrayList<>();
        for (int from = 0; from < characters.length; ) {
            int to = Math.min(characters.length, from + PIECE_CHARACTERS);
            while (to < characters.length
                    && !(Character.isWhitespace(characters[to]) && !Character.isWhitespace(characters[to - 1]))) to++;
            pieces.add(tokenizer.encode(new String(characters, from, to - from)));
            from = to;
        }
        int[] tokens = pieces.stream().flatMapToInt(Arrays::stream).toArray();
        long bytes = Arrays.stream(tokens)
                .mapToLong(token -> learnt.tokenBytes()[token])
                .sum();
        int expected = text(characters).getBytes(StandardCharsets.UTF_8).length;
        if (bytes != expected) {
            throw new IllegalStateException("the tokens stand for " + bytes + " bytes, the text has " + expected
                    + ": figures per character would be of another text");
        }
        return tokens;
    }

    @Override
    public EvaluationReport judge(Module network, TorchExecutor executor) {
        if (!(network instanceof Decoder decoder)) {
            throw new IllegalArgumentException("generate-text is judged by a decoder, not by " + network);
        }
        Tokens tokens = tokens(decoder.config().vocabularySize());
        double[] nats = executor.call(() -> {
            network.evaluate();
            return nats(decoder, tokens.validation, tokens.test);
        });
        double[] perBlock = blocks(perCharacter(nats, tokens));
        long start = System.nanoTime();
        Counting counting = countingModel();
        double[] countedPerBlock = blocks(counting.nats);
        double seconds = (System.nanoTime() - start) / 1e9;
        String metric = Metrics.NATS_PER_CHARACTER.name();
        List<String> allNotes = new ArrayList<>(notes);
        allNotes.add(String.format(
                Locale.ROOT,
                "%,d tokens for %,d characters; %.4f nats per token; each token after at least %d others",
                nats.length,
                test.length,
                Arrays.stream(nats).average().orElseThrow(),
                decoder.config().contextTokens() / 2));
        allNotes.add("intervals draw " + perBlock.length + " blocks of about " + BLOCK_CHARACTERS + " characters");
        return new EvaluationReport(
                metric,
                test.length,
                Map.of(metric, Arrays.stream(perBlock).average().orElseThrow()),
                Map.of(metric, Bootstrap.ofMean(perBlock, SPLIT_SEED)),
                List.of(new BaselineResult(
                        "character n-grams",
                        Map.of(metric, Arrays.stream(countedPerBlock).average().orElseThrow()),
                        Map.of(metric, Bootstrap.ofDifference(countedPerBlock, perBlock, SPLIT_SEED)),
                        seconds,
                        List.of(counting.note))),
                null,
                List.of(),
                allNotes);
    }

    /** @param nats of each character of the test part */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Counting(double[] nats, String note) {}

    /** Of what the decoder learns from too and no more, its smoothing chosen where the decoder's epoch is: decision 0171. */
    private Counting countingModel() {
        int[] learnt = lastOf(training, MOST_COUNTED);
        int[] all = concatenated(concatenated(learnt, validation), test);
        int judged = learnt.length + validation.length;
        CharacterNgrams counted = CharacterNgrams.of(learnt, CharacterNgrams.MOST_ORDER);
        CharacterNgrams.Smoothing smoothing = counted.choose(all, learnt.length, judged);
        return new Counting(
                counted.nats(all, judged, all.length, smoothing),
                String.format(
                        Locale.ROOT,
                        "interpolated after Witten and Bell, up to %d characters, factor %.1f: chosen on the validation part; counted in %,d characters of the training part",
                        smoothing.order(),
                        smoothing.factor(),
                        learnt.length));
    }

    private static int[] lastOf(int[] text, int most) {
        return text.length <= most ? text : Arrays.copyOfRange(text, text.length - most, text.length);
    }

    private static int[] concatenated(int[] first, int[] second) {
        int[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /** A token's nats count where its first byte stands. */
    private double[] perCharacter(double[] nats, Tokens tokens) {
        double[] perCharacter = new double[test.length];
        int character = 0;
        long begins = 0; // byte at which the character begins
        long at = 0; // byte at which the token begins
        for (int i = 0; i < nats.length; i++) {
            while (begins + utf8Bytes(test[character]) <= at) begins += utf8Bytes(test[character++]);
            perCharacter[character] += nats[i];
            at += tokens.learnt.tokenBytes()[tokens.test[i]];
        }
        return perCharacter;
    }

    private static int utf8Bytes(int character) {
        return character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    }

    /** Nats by block in shares of one character, so that their mean is exactly the mean over characters. */
    private static double[] blocks(double[] perCharacter) {
        int count = Math.max(2, perCharacter.length / BLOCK_CHARACTERS);
        double[] blocks = new double[count];
        for (int i = 0; i < perCharacter.length; i++) {
            blocks[(int) ((long) i * count / perCharacter.length)] += perCharacter[i];
        }
        for (int block = 0; block < count; block++) blocks[block] *= (double) count / perCharacter.length;
        return blocks;
    }

    /**
     * −ln of the probability of each token of a part, read by windows that move on by half of themselves: each token stands in the second half of one,
     * so after at least T / 2 others.
     *
     * @param before tokens that stand before the part, of which the last are context
     */
    private static double[] nats(Decoder network, int[] before, int[] part) {
        int window = network.config().contextTokens();
        int given = Math.min(before.length, window);
        int[] tokens = concatenated(lastOf(before, given), part);
        int stride = Math.max(1, window / 2);
        double[] nats = new double[part.length];
        for (int from = given; from < tokens.length; ) {
            // windows of one length together: of each the inputs [to − 1 − T, to − 1), judged on the last of the
            // targets
            int length = Math.min(window, Math.min(from + stride, tokens.length) - 1);
            List<Integer> ends = new ArrayList<>();
            int next = from;
            while (next < tokens.length && ends.size() < JUDGED_WINDOWS) {
                int end = Math.min(next + stride, tokens.length);
                if (Math.min(window, end - 1) != length) break;
                ends.add(end);
                next = end;
            }
            double[] judged = natsOfWindows(network, tokens, ends, length);
            for (int w = 0; w < ends.size(); w++) {
                int end = ends.get(w);
                int begin = Math.max(from, w == 0 ? from : ends.get(w - 1));
                for (int i = begin; i < end; i++) nats[i - given] = judged[w * length + length - (end - i)];
            }
            from = next;
        }
        return nats;
    }

    /** [B · T] nats of the targets of each window. */
    private static double[] natsOfWindows(Decoder network, int[] tokens, List<Integer> ends, int length) {
        int[] inputs = new int[ends.size() * length];
        int[] targets = new int[inputs.length];
        for (int w = 0; w < ends.size(); w++) {
            System.arraycopy(tokens, ends.get(w) - 1 - length, inputs, w * length, length);
            System.arraycopy(tokens, ends.get(w) - length, targets, w * length, length);
        }
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            Tensor logitsBTV = network.forward(Tensor.of(inputs, ends.size(), length));
            float[] nats = logitsBTV
                    .reshape(inputs.length, logitsBTV.size(2))
                    .crossEntropies(Tensor.of(targets, targets.length))
                    .toFloats();
            double[] wide = new double[nats.length];
            for (int i = 0; i < nats.length; i++) wide[i] = nats[i];
            return wide;
        }
    }

    private final class Problem implements TrainingProblem {
        private final Shape shape;
        private final int window;

        Problem(Shape shape) {
            this.shape = shape;
            window = shape.config.contextTokens();
            if (shape.tokens.training.length <= window) {
                throw new IllegalArgumentException("the training part has " + shape.tokens.training.length
                        + " tokens, which do not fill one window of " + window
                        + " and its next token: lower architecture.context");
            }
        }

        @Override
        public Module build() {
            return Decoder.drawn(shape.config);
        }

        /** Windows that lie side by side. */
        @Override
        public int exampleCount() {
            return (shape.tokens.training.length - 1) / window;
        }

        @Override
        public int tokensPerExample() {
            return window;
        }

        /** Inputs [B, T], targets [B · T]: each window begins somewhere between its place and the next one's, elsewhere in each epoch. */
        @Override
        public Batch batch(int[] examples, SplittableRandom augmentation) {
            int[] tokens = shape.tokens.training;
            int[] inputs = new int[examples.length * window];
            int[] targets = new int[inputs.length];
            for (int i = 0; i < examples.length; i++) {
                int begin = Math.min(examples[i] * window + augmentation.nextInt(window), tokens.length - 1 - window);
                System.arraycopy(tokens, begin, inputs, i * window, window);
                System.arraycopy(tokens, begin + 1, targets, i * window, window);
            }
            return new Batch(
                    Tensor.of(inputs, examples.length, window), Tensor.of(targets, targets.length), examples.length);
        }

        @Override
        public Tensor loss(Module network, Batch batch) {
            Decoder decoder = (Decoder) network;
            Tensor featuresBTE = decoder.embed(batch.inputs()).dropout(shape.hidden, decoder.training());
            Tensor logitsBTV = decoder.forwardEmbedded(featuresBTE);
            return logitsBTV.reshape(-1, logitsBTV.size(2)).crossEntropy(batch.targets(), 0);
        }

        @Override
        public Map<String, Double> validate(Module network) {
            double[] nats = nats((Decoder) network, shape.tokens.training, shape.tokens.validation);
            return Map.of(Metrics.NATS_PER_CHARACTER.name(), Arrays.stream(nats).sum() / validation.length);
        }
    }
}
