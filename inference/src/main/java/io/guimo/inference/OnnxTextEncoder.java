package io.guimo.inference;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.guimo.text.Tokenizer;
import io.guimo.units.Meter;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A BERT-class encoder over ONNX Runtime.
 *
 * <p>Texts of nearly the same length are worked on together, the shorter ones filled up under the attention mask, whose weight is exactly zero: a
 * vector differs with its batch by rounding alone, under 1e-6 (the test's bound is 1e-5). A batch holds some {@value #BATCH_TOKENS} tokens: measured
 * on 2 cores, texts of 8 tokens cost a third each in a batch of 32, from 256 tokens on nothing more is won (docs/log.md, 2026-11-22).
 *
 * <p>B texts, L tokens, D dimensions.
 */
final class OnnxTextEncoder implements TextEncoder {
    private static final Set<Meter> METERS = Set.of(Meter.INPUT_TOKENS);
    private static final int BATCH_TOKENS = 512;
    /** Longest and shortest text of a batch, as a ratio: filling costs as much as text. */
    private static final double MOST_FILLING = 1.25;

    private static final int MAX_TEXTS = 2048;
    private static final int MAX_TOKENS_A_CALL = 65_536;
    private static final int MAX_WAITING_TEXTS = 4096;
    private static final long MAX_WAITING_TOKENS = 2L * MAX_TOKENS_A_CALL;
    private static final int MAX_CHARACTERS = 32_768;
    private static final long MAX_CHARACTERS_A_CALL = 2_000_000;

    private static final class Text extends Pending<float[]> {
        final int[] tokens;

        Text(int[] tokens) {
            this.tokens = tokens;
        }
    }

    private static final class Tokenizing extends Pending<List<int[]>> {
        final List<String> texts;

        Tokenizing(List<String> texts) {
            this.texts = texts;
        }
    }

    private final String name;
    private final String version;
    private final EncoderSteps steps;
    private final Tokenizer tokenizer;
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private final boolean wantsTypeIds;
    private final Admission tokenizeAdmission;
    private final Admission admission;
    private final BatchQueue<Tokenizing> toTokenize = new BatchQueue<>(BatchQueue.BatchRule.atMost(1), Duration.ZERO);
    private final BatchQueue<Text> toEncode;
    private final EngineThreads tokenizers;
    private final EngineThreads workers;
    private final UsageCounter counter = new UsageCounter(METERS);

    /**
     * @param tokenizer belongs to this engine from here on
     * @throws IOException if ONNX Runtime refuses the model, or it is no encoder
     */
    OnnxTextEncoder(
            String name, String version, EncoderSteps steps, Path onnx, Tokenizer tokenizer, EngineSettings settings)
            throws IOException {
        this.name = name;
        this.version = version;
        this.steps = steps;
        this.tokenizer = tokenizer;
        this.session = open(onnx);
        this.wantsTypeIds = session.getInputNames().contains("token_type_ids");
        this.tokenizeAdmission = new Admission(name, version, MAX_WAITING_TEXTS, 2 * MAX_CHARACTERS_A_CALL);
        this.admission = new Admission(name, version, MAX_WAITING_TEXTS, MAX_WAITING_TOKENS);
        this.toEncode = new BatchQueue<>(rule(settings.maxBatch()), settings.linger());
        this.tokenizers = new EngineThreads(name + "-tokenize", settings.workers(), this::tokenizeLoop);
        this.workers = new EngineThreads(name + "-encode", settings.workers(), this::encodeLoop);
    }

    private OrtSession open(Path onnx) throws IOException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            // One thread inside an operation: the engine's own threads are the parallelism, and their clock the whole
            // cost.
            options.setIntraOpNumThreads(1);
            options.setInterOpNumThreads(1);
            options.addConfigEntry("session.intra_op.allow_spinning", "0");
            // Plans memory for each shape it has seen; every batch has another.
            options.setMemoryPatternOptimization(false);
            OrtSession opened = environment.createSession(onnx.toString(), options);
            Set<String> inputs = opened.getInputNames();
            if (inputs.containsAll(Set.of("input_ids", "attention_mask"))) return opened;
            opened.close();
            throw new IOException(onnx + " is no text encoder: its inputs are " + inputs
                    + "; input_ids and attention_mask are needed");
        } catch (OrtException e) {
            throw new IOException("ONNX Runtime cannot read " + onnx + ": " + e.getMessage(), e);
        }
    }

    private static BatchQueue.BatchRule<Text> rule(int maxTexts) {
        return (batch, candidate) -> {
            int first = batch.getFirst().tokens.length;
            int length = candidate.tokens.length;
            return batch.size() < maxTexts
                    && Math.max(first, length) <= MOST_FILLING * Math.min(first, length)
                    && (batch.size() + 1) * MOST_FILLING * first <= BATCH_TOKENS;
        };
    }

    @Override
    public List<int[]> tokenize(List<String> texts) {
        requireTexts(texts.size());
        long characters = 0;
        for (int i = 0; i < texts.size(); i++) {
            int length = texts.get(i).length();
            characters += length;
            if (length == 0 || length > MAX_CHARACTERS) {
                throw new InvalidInput(
                        i, "text " + i + " has " + length + " characters; permitted are 1 to " + MAX_CHARACTERS);
            }
        }
        if (characters > MAX_CHARACTERS_A_CALL) {
            throw new InvalidInput(
                    -1,
                    "the texts have " + characters + " characters together; permitted are " + MAX_CHARACTERS_A_CALL
                            + " in a request: send them in several");
        }
        Tokenizing call = new Tokenizing(List.copyOf(texts));
        tokenizeAdmission.enter(texts.size(), characters);
        toTokenize.put(call);
        return Pending.await(List.of(call)).getFirst();
    }

    private void tokenizeLoop() {
        for (List<Tokenizing> batch = toTokenize.take(); !batch.isEmpty(); batch = toTokenize.take()) {
            for (Tokenizing call : batch) tokenize(call);
        }
    }

    private void tokenize(Tokenizing call) {
        long began = System.nanoTime();
        try {
            List<int[]> tokens = new ArrayList<>(call.texts.size());
            // One by one: the library's batch call starts threads of its own, whose time nobody measures.
            for (String text : call.texts) if (!call.abandoned()) tokens.add(tokenizer.encode(text));
            call.complete(tokens);
        } catch (Throwable failed) { // handed to whoever waits, errors too
            call.fail(failed);
        } finally {
            tokenizeAdmission.worked(call.texts.size(), System.nanoTime() - began);
            tokenizeAdmission.leave(
                    call.texts.size(),
                    call.texts.stream().mapToLong(String::length).sum());
        }
    }

    @Override
    public List<float[]> embed(List<int[]> tokenIds) {
        requireTexts(tokenIds.size());
        List<Text> texts = new ArrayList<>(tokenIds.size());
        long tokens = 0;
        for (int i = 0; i < tokenIds.size(); i++) {
            requireTokens(i, tokenIds.get(i));
            texts.add(new Text(tokenIds.get(i).clone()));
            tokens += tokenIds.get(i).length;
        }
        if (tokens > MAX_TOKENS_A_CALL) {
            throw new InvalidInput(
                    -1,
                    "the texts have " + tokens + " tokens together; permitted are " + MAX_TOKENS_A_CALL
                            + " in a request: send them in several");
        }
        admission.enter(texts.size(), tokens);
        toEncode.putAll(texts);
        List<float[]> vectors = Pending.await(texts);
        counter.answered(Map.of(Meter.INPUT_TOKENS, tokens));
        return vectors;
    }

    private static void requireTexts(int texts) {
        if (texts < 1 || texts > MAX_TEXTS) {
            throw new InvalidInput(-1, texts + " texts; permitted are 1 to " + MAX_TEXTS + " in a request");
        }
    }

    private void requireTokens(int index, int[] tokens) {
        if (tokens.length < 1 || tokens.length > steps.maxTokens()) {
            throw new InvalidInput(
                    index,
                    "text " + index + " has " + tokens.length + " tokens; permitted are 1 to " + steps.maxTokens()
                            + ": shorten it, or send it in parts");
        }
        for (int token : tokens) {
            if (token >= 0 && token < tokenizer.vocabularySize()) continue;
            throw new InvalidInput(
                    index,
                    "text " + index + " has the token id " + token + "; permitted are 0 to "
                            + (tokenizer.vocabularySize() - 1));
        }
    }

    private void encodeLoop() {
        for (List<Text> batch = toEncode.take(); !batch.isEmpty(); batch = toEncode.take()) encode(batch);
    }

    private void encode(List<Text> batch) {
        List<Text> wanted = batch.stream().filter(text -> !text.abandoned()).toList();
        long began = System.nanoTime();
        counter.batchBegan();
        try {
            if (!wanted.isEmpty()) {
                List<float[]> vectors = run(wanted);
                for (int i = 0; i < wanted.size(); i++) wanted.get(i).complete(vectors.get(i));
            }
        } catch (Throwable failed) { // handed to whoever waits, errors too
            for (Text text : wanted) text.fail(failed);
        } finally {
            counter.batchEnded();
            admission.worked(batch.size(), System.nanoTime() - began);
            admission.leave(
                    batch.size(),
                    batch.stream().mapToLong(text -> text.tokens.length).sum());
        }
    }

    private List<float[]> run(List<Text> texts) throws OrtException {
        int b = texts.size();
        int l = texts.stream().mapToInt(text -> text.tokens.length).max().orElseThrow();
        long[] idsBL = new long[b * l];
        long[] maskBL = new long[b * l];
        for (int i = 0; i < b; i++) {
            int[] tokens = texts.get(i).tokens;
            for (int j = 0; j < tokens.length; j++) {
                idsBL[i * l + j] = tokens[j];
                maskBL[i * l + j] = 1;
            }
        }
        long[] shape = {b, l};
        Map<String, OnnxTensor> inputs = new HashMap<>();
        try {
            inputs.put("input_ids", OnnxTensor.createTensor(environment, LongBuffer.wrap(idsBL), shape));
            inputs.put("attention_mask", OnnxTensor.createTensor(environment, LongBuffer.wrap(maskBL), shape));
            if (wantsTypeIds) {
                inputs.put(
                        "token_type_ids",
                        OnnxTensor.createTensor(environment, LongBuffer.wrap(new long[b * l]), shape));
            }
            try (OrtSession.Result result = session.run(inputs)) {
                return vectors(texts, l, (OnnxTensor) result.get(0));
            }
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    private List<float[]> vectors(List<Text> texts, int l, OnnxTensor outputBLD) {
        int d = steps.dimensions();
        long[] shape = outputBLD.getInfo().getShape();
        if (shape.length != 3 || shape[0] != texts.size() || shape[1] != l || shape[2] != d) {
            throw new IllegalStateException("encoder " + name + " gave " + Arrays.toString(shape) + "; its steps say ["
                    + texts.size() + ", " + l + ", " + d + "]");
        }
        FloatBuffer values = outputBLD.getFloatBuffer();
        List<float[]> vectors = new ArrayList<>(texts.size());
        for (int i = 0; i < texts.size(); i++) {
            int tokens =
                    switch (steps.pooling()) {
                        case CLS -> 1;
                        case MEAN -> texts.get(i).tokens.length;
                    };
            double[] sum = new double[d];
            for (int j = 0; j < tokens; j++) {
                for (int k = 0; k < d; k++) sum[k] += values.get((i * l + j) * d + k);
            }
            vectors.add(unit(sum));
        }
        return vectors;
    }

    private static float[] unit(double[] vector) {
        double squares = 0;
        for (double value : vector) squares += value * value;
        double length = Math.sqrt(squares);
        float[] unit = new float[vector.length];
        for (int k = 0; k < unit.length; k++) unit[k] = (float) (vector[k] / length);
        return unit;
    }

    @Override
    public int maxTokens() {
        return steps.maxTokens();
    }

    @Override
    public int maxTexts() {
        return MAX_TEXTS;
    }

    @Override
    public int dimensions() {
        return steps.dimensions();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public Set<Meter> meters() {
        return METERS;
    }

    @Override
    public EngineUsage usage() {
        return counter.read(tokenizers.cpuNanos() + workers.cpuNanos());
    }

    @Override
    public void close() {
        tokenizeAdmission.closeAndDrain();
        admission.closeAndDrain();
        toTokenize.close();
        toEncode.close();
        tokenizers.join();
        workers.join();
        tokenizer.close();
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime could not free " + name, e);
        }
    }
}
