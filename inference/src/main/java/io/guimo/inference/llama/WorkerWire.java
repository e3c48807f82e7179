package io.guimo.inference.llama;

import io.guimo.inference.GeneratorState;
import io.guimo.inference.generate.Constraint;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.GenerationEnd;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.Sampling;
import io.guimo.inference.generate.SchedulerSettings;
import io.guimo.inference.llama.WorkerMessage.Order;
import io.guimo.inference.llama.WorkerMessage.Refusal;
import io.guimo.inference.llama.WorkerMessage.Report;
import io.guimo.text.Vocabulary;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@link WorkerMessage}s as bytes: a byte that says which, then its fields in their order, numbers big-endian, texts as their UTF-8 length and bytes.
 * Both sides come from one build, so there is no version. A length over {@value #MOST_BYTES} is a fault of the other side, not an allocation.
 */
final class WorkerWire {
    private static final int MOST_BYTES = 256 << 20;

    private static final byte LOAD = 1;
    private static final byte LOAD_ADAPTER = 2;
    private static final byte DROP_ADAPTER = 3;
    private static final byte GENERATE = 4;
    private static final byte CANCEL = 5;

    private static final byte LOADING = 20;
    private static final byte LOAD_FAILED = 21;
    private static final byte READY = 22;
    private static final byte ADAPTER_LOADED = 23;
    private static final byte ADAPTER_FAILED = 24;
    private static final byte ACCEPTED = 25;
    private static final byte REFUSED = 26;
    private static final byte BEGAN = 27;
    private static final byte GENERATED = 28;
    private static final byte ENDED = 29;
    private static final byte PULSE = 30;

    private static final byte BUSY = 40;
    private static final byte INVALID = 41;
    private static final byte CLOSING = 42;
    private static final byte BROKEN = 43;

    private static final byte NONE = 0;
    private static final byte SOME = 1;
    private static final byte JSON_OBJECT = 1;
    private static final byte JSON_SCHEMA = 2;
    private static final byte REGEX = 3;
    private static final byte FRAMED = 4;

    private WorkerWire() {}

    static void write(DataOutputStream out, Order order) throws IOException {
        switch (order) {
            case Order.Load load -> {
                out.writeByte(LOAD);
                write(out, load.library().toString());
                write(out, load.gguf().toString());
                write(out, load.settings());
                write(out, load.scheduling());
                write(out, load.vocabulary());
            }
            case Order.LoadAdapter load -> {
                out.writeByte(LOAD_ADAPTER);
                write(out, load.name());
                write(out, load.gguf().toString());
            }
            case Order.DropAdapter drop -> {
                out.writeByte(DROP_ADAPTER);
                write(out, drop.name());
            }
            case Order.Generate generate -> {
                out.writeByte(GENERATE);
                out.writeLong(generate.stream());
                write(out, generate.request());
            }
            case Order.Cancel cancel -> {
                out.writeByte(CANCEL);
                out.writeLong(cancel.stream());
            }
        }
    }

    /** @throws EOFException when the server has ended */
    static Order readOrder(DataInputStream in) throws IOException {
        byte kind = in.readByte();
        return switch (kind) {
            case LOAD ->
                new Order.Load(
                        Path.of(readText(in)),
                        Path.of(readText(in)),
                        readSettings(in),
                        readScheduling(in),
                        readVocabulary(in));
            case LOAD_ADAPTER -> new Order.LoadAdapter(readText(in), Path.of(readText(in)));
            case DROP_ADAPTER -> new Order.DropAdapter(readText(in));
            case GENERATE -> new Order.Generate(in.readLong(), readRequest(in));
            case CANCEL -> new Order.Cancel(in.readLong());
            default -> throw unknown(kind);
        };
    }

    static void write(DataOutputStream out, Report report) throws IOException {
        switch (report) {
            case Report.Loading loading -> {
                out.writeByte(LOADING);
                out.writeFloat(loading.fraction());
            }
            case Report.LoadFailed failed -> {
                out.writeByte(LOAD_FAILED);
                write(out, failed.reason());
            }
            case Report.Ready ready -> {
                out.writeByte(READY);
                out.writeInt(ready.vocabularySize());
                out.writeInt(ready.contextTokens());
            }
            case Report.AdapterLoaded loaded -> {
                out.writeByte(ADAPTER_LOADED);
                write(out, loaded.name());
            }
            case Report.AdapterFailed failed -> {
                out.writeByte(ADAPTER_FAILED);
                write(out, failed.name());
                write(out, failed.reason());
            }
            case Report.Accepted accepted -> {
                out.writeByte(ACCEPTED);
                out.writeLong(accepted.stream());
            }
            case Report.Refused refused -> {
                out.writeByte(REFUSED);
                out.writeLong(refused.stream());
                write(out, refused.refusal());
            }
            case Report.Began began -> {
                out.writeByte(BEGAN);
                out.writeLong(began.stream());
                out.writeInt(began.cachedTokens());
            }
            case Report.Generated generated -> {
                out.writeByte(GENERATED);
                out.writeLong(generated.stream());
                write(out, generated.token());
            }
            case Report.Ended ended -> {
                out.writeByte(ENDED);
                out.writeLong(ended.stream());
                write(out, ended.end().reason().name());
                out.writeInt(ended.end().cachedTokens());
                out.writeInt(ended.end().generatedTokens());
                out.writeLong(ended.end().cpuNanos());
            }
            case Report.Pulse pulse -> {
                out.writeByte(PULSE);
                out.writeLong(pulse.steps());
                out.writeLong(pulse.busyNanos());
                out.writeLong(pulse.inputCpuNanos());
                out.writeLong(pulse.outputCpuNanos());
                out.writeLong(pulse.processCpuNanos());
                out.writeInt(pulse.state().running());
                out.writeInt(pulse.state().waiting());
                out.writeInt(pulse.state().cellsUsed());
                out.writeInt(pulse.state().prefixTokens());
            }
        }
    }

    /** @throws EOFException when the worker has ended */
    static Report readReport(DataInputStream in) throws IOException {
        byte kind = in.readByte();
        return switch (kind) {
            case LOADING -> new Report.Loading(in.readFloat());
            case LOAD_FAILED -> new Report.LoadFailed(readText(in));
            case READY -> new Report.Ready(in.readInt(), in.readInt());
            case ADAPTER_LOADED -> new Report.AdapterLoaded(readText(in));
            case ADAPTER_FAILED -> new Report.AdapterFailed(readText(in), readText(in));
            case ACCEPTED -> new Report.Accepted(in.readLong());
            case REFUSED -> new Report.Refused(in.readLong(), readRefusal(in));
            case BEGAN -> new Report.Began(in.readLong(), in.readInt());
            case GENERATED -> new Report.Generated(in.readLong(), readToken(in));
            case ENDED -> new Report.Ended(in.readLong(), readEnd(in));
            case PULSE ->
                new Report.Pulse(
                        in.readLong(),
                        in.readLong(),
                        in.readLong(),
                        in.readLong(),
                        in.readLong(),
                        new GeneratorState(in.readInt(), in.readInt(), in.readInt(), in.readInt()));
            default -> throw unknown(kind);
        };
    }

    private static IOException unknown(byte kind) {
        return new IOException("a message of the unknown kind " + kind);
    }

    private static void write(DataOutputStream out, LlamaSettings settings) throws IOException {
        out.writeInt(settings.contextTokens());
        out.writeInt(settings.cacheTokens());
        out.writeInt(settings.maxSequences());
        out.writeInt(settings.batchTokens());
        out.writeInt(settings.threads());
    }

    private static LlamaSettings readSettings(DataInputStream in) throws IOException {
        return new LlamaSettings(in.readInt(), in.readInt(), in.readInt(), in.readInt(), in.readInt());
    }

    private static void write(DataOutputStream out, SchedulerSettings settings) throws IOException {
        write(out, settings.model());
        write(out, settings.version());
        out.writeInt(settings.maxRunning());
        out.writeInt(settings.maxWaiting());
        out.writeInt(settings.prefillTokens());
        out.writeInt(settings.prefixTokens());
    }

    private static SchedulerSettings readScheduling(DataInputStream in) throws IOException {
        return new SchedulerSettings(
                readText(in), readText(in), in.readInt(), in.readInt(), in.readInt(), in.readInt());
    }

    private static void write(DataOutputStream out, Vocabulary vocabulary) throws IOException {
        out.writeInt(vocabulary.size());
        for (int id = 0; id < vocabulary.size(); id++) {
            out.writeBoolean(vocabulary.isSpecial(id));
            write(out, vocabulary.bytes(id));
        }
    }

    private static Vocabulary readVocabulary(DataInputStream in) throws IOException {
        int size = readLength(in);
        byte[][] bytes = new byte[size][];
        boolean[] special = new boolean[size];
        for (int id = 0; id < size; id++) {
            special[id] = in.readBoolean();
            bytes[id] = readBytes(in);
        }
        return new Vocabulary(bytes, special);
    }

    private static void write(DataOutputStream out, GenerationRequest request) throws IOException {
        int[] prompt = request.prompt();
        out.writeInt(prompt.length);
        for (int token : prompt) out.writeInt(token);
        out.writeInt(request.maxTokens());
        write(out, request.sampling());
        out.writeByte(request.topLogprobs());
        write(out, request.constraint());
        out.writeInt(request.endTokens().size());
        for (int token : request.endTokens()) out.writeInt(token);
        write(out, request.scope());
        out.writeInt(request.priority());
        Instant deadline = request.deadline();
        out.writeByte(deadline == null ? NONE : SOME);
        if (deadline != null) {
            out.writeLong(deadline.getEpochSecond());
            out.writeInt(deadline.getNano());
        }
        writeOptional(out, request.adapter());
    }

    private static GenerationRequest readRequest(DataInputStream in) throws IOException {
        int[] prompt = new int[readLength(in)];
        for (int i = 0; i < prompt.length; i++) prompt[i] = in.readInt();
        int maxTokens = in.readInt();
        Sampling sampling = readSampling(in);
        int topLogprobs = in.readByte();
        Constraint constraint = readConstraint(in);
        Set<Integer> endTokens = new HashSet<>();
        for (int left = readLength(in); left > 0; left--) endTokens.add(in.readInt());
        return new GenerationRequest(
                prompt,
                maxTokens,
                sampling,
                topLogprobs,
                constraint,
                endTokens,
                readText(in),
                in.readInt(),
                in.readByte() == NONE ? null : Instant.ofEpochSecond(in.readLong(), in.readInt()),
                readOptional(in));
    }

    private static void write(DataOutputStream out, Sampling sampling) throws IOException {
        out.writeDouble(sampling.temperature());
        out.writeInt(sampling.topK());
        out.writeDouble(sampling.topP());
        out.writeDouble(sampling.minP());
        out.writeDouble(sampling.frequencyPenalty());
        out.writeDouble(sampling.presencePenalty());
        out.writeDouble(sampling.repetitionPenalty());
        out.writeInt(sampling.logitBias().size());
        for (Map.Entry<Integer, Double> bias : sampling.logitBias().entrySet()) {
            out.writeInt(bias.getKey());
            out.writeDouble(bias.getValue());
        }
        Long seed = sampling.seed();
        out.writeByte(seed == null ? NONE : SOME);
        if (seed != null) out.writeLong(seed);
    }

    private static Sampling readSampling(DataInputStream in) throws IOException {
        double temperature = in.readDouble();
        int topK = in.readInt();
        double topP = in.readDouble();
        double minP = in.readDouble();
        double frequencyPenalty = in.readDouble();
        double presencePenalty = in.readDouble();
        double repetitionPenalty = in.readDouble();
        Map<Integer, Double> logitBias = new HashMap<>();
        for (int left = readLength(in); left > 0; left--) logitBias.put(in.readInt(), in.readDouble());
        return new Sampling(
                temperature,
                topK,
                topP,
                minP,
                frequencyPenalty,
                presencePenalty,
                repetitionPenalty,
                logitBias,
                in.readByte() == NONE ? null : in.readLong());
    }

    private static void write(DataOutputStream out, @Nullable Constraint constraint) throws IOException {
        switch (constraint) {
            case null -> out.writeByte(NONE);
            case Constraint.JsonObject object -> out.writeByte(JSON_OBJECT);
            case Constraint.JsonSchema schema -> {
                out.writeByte(JSON_SCHEMA);
                write(out, schema.schema());
            }
            case Constraint.Regex regex -> {
                out.writeByte(REGEX);
                write(out, regex.pattern());
            }
            case Constraint.Framed framed -> {
                out.writeByte(FRAMED);
                write(out, framed.prefix());
                write(out, framed.schema());
                write(out, framed.suffix());
                write(out, framed.separator());
                out.writeInt(framed.most());
            }
        }
    }

    private static @Nullable Constraint readConstraint(DataInputStream in) throws IOException {
        byte kind = in.readByte();
        return switch (kind) {
            case NONE -> null;
            case JSON_OBJECT -> new Constraint.JsonObject();
            case JSON_SCHEMA -> new Constraint.JsonSchema(readText(in));
            case REGEX -> new Constraint.Regex(readText(in));
            case FRAMED -> new Constraint.Framed(readText(in), readText(in), readText(in), readText(in), in.readInt());
            default -> throw unknown(kind);
        };
    }

    private static void write(DataOutputStream out, GeneratedToken token) throws IOException {
        out.writeInt(token.id());
        out.writeFloat(token.logprob());
        out.writeByte(token.alternatives().size());
        for (GeneratedToken.Alternative alternative : token.alternatives()) {
            out.writeInt(alternative.id());
            out.writeFloat(alternative.logprob());
        }
    }

    private static GeneratedToken readToken(DataInputStream in) throws IOException {
        int id = in.readInt();
        float logprob = in.readFloat();
        int count = in.readByte();
        if (count == 0) return new GeneratedToken(id, logprob, List.of());
        List<GeneratedToken.Alternative> alternatives = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            alternatives.add(new GeneratedToken.Alternative(in.readInt(), in.readFloat()));
        }
        return new GeneratedToken(id, logprob, alternatives);
    }

    private static GenerationEnd readEnd(DataInputStream in) throws IOException {
        GenerationEnd.Reason reason = GenerationEnd.Reason.valueOf(readText(in));
        return new GenerationEnd(reason, in.readInt(), in.readInt(), in.readLong());
    }

    private static void write(DataOutputStream out, Refusal refusal) throws IOException {
        switch (refusal) {
            case Refusal.Busy busy -> {
                out.writeByte(BUSY);
                out.writeInt(busy.waiting());
                out.writeLong(busy.retryAfter().toNanos());
            }
            case Refusal.Invalid invalid -> {
                out.writeByte(INVALID);
                out.writeInt(invalid.index());
                write(out, invalid.message());
            }
            case Refusal.Closing closing -> out.writeByte(CLOSING);
            case Refusal.Broken broken -> {
                out.writeByte(BROKEN);
                write(out, broken.reason());
            }
        }
    }

    private static Refusal readRefusal(DataInputStream in) throws IOException {
        byte kind = in.readByte();
        return switch (kind) {
            case BUSY -> new Refusal.Busy(in.readInt(), Duration.ofNanos(in.readLong()));
            case INVALID -> new Refusal.Invalid(in.readInt(), readText(in));
            case CLOSING -> new Refusal.Closing();
            case BROKEN -> new Refusal.Broken(readText(in));
            default -> throw unknown(kind);
        };
    }

    private static void writeOptional(DataOutputStream out, @Nullable String text) throws IOException {
        out.writeByte(text == null ? NONE : SOME);
        if (text != null) write(out, text);
    }

    private static @Nullable String readOptional(DataInputStream in) throws IOException {
        return in.readByte() == NONE ? null : readText(in);
    }

    private static void write(DataOutputStream out, String text) throws IOException {
        write(out, text.getBytes(StandardCharsets.UTF_8));
    }

    private static String readText(DataInputStream in) throws IOException {
        return new String(readBytes(in), StandardCharsets.UTF_8);
    }

    private static void write(DataOutputStream out, byte[] bytes) throws IOException {
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    private static byte[] readBytes(DataInputStream in) throws IOException {
        int length = readLength(in);
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) throw new EOFException();
        return bytes;
    }

    private static int readLength(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > MOST_BYTES) throw new IOException("a message with a field of " + length + " bytes");
        return length;
    }
}
