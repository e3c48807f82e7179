package io.guimo.inference.llama;

import io.guimo.inference.GeneratorState;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.GenerationEnd;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.SchedulerSettings;
import io.guimo.text.Vocabulary;
import java.nio.file.Path;
import java.time.Duration;

/** What server and worker say to each other. A stream has a number, which the server gives and no other stream of the same worker ever has. */
sealed interface WorkerMessage {
    /** From the server. */
    sealed interface Order extends WorkerMessage {
        /**
         * The first message.
         *
         * @param library folder of llama.cpp's libraries
         */
        record Load(
                Path library, Path gguf, LlamaSettings settings, SchedulerSettings scheduling, Vocabulary vocabulary)
                implements Order {}

        /** Loads a LoRA adapter beside the model. Answered by {@link Report.AdapterLoaded} or {@link Report.AdapterFailed}. */
        record LoadAdapter(String name, Path gguf) implements Order {}

        /** Ends the sequences of an adapter and frees it. */
        record DropAdapter(String name) implements Order {}

        record Generate(long stream, GenerationRequest request) implements Order {}

        record Cancel(long stream) implements Order {}
    }

    /** From the worker. */
    sealed interface Report extends WorkerMessage {
        /** @param fraction of the model, 0 to 1 */
        record Loading(float fraction) implements Report {}

        /** The model cannot be loaded; the worker ends. */
        record LoadFailed(String reason) implements Report {}

        record Ready(int vocabularySize, int contextTokens) implements Report {}

        record AdapterLoaded(String name) implements Report {}

        record AdapterFailed(String name, String reason) implements Report {}

        record Accepted(long stream) implements Report {}

        /** The sequence was not begun, or ends without having become an answer. */
        record Refused(long stream, Refusal refusal) implements Report {}

        /** The prompt was read. */
        record Began(long stream, int cachedTokens) implements Report {}

        record Generated(long stream, GeneratedToken token) implements Report {}

        record Ended(long stream, GenerationEnd end) implements Report {}

        /**
         * What was done since the worker began. Sent every second as long as steps come to their end, and before each {@link Ended}.
         *
         * @param busyNanos time in which a step was under way
         * @param inputCpuNanos processor time of the tokens read
         * @param outputCpuNanos processor time of the tokens written
         * @param processCpuNanos processor time of the whole worker
         * @param state what is under way
         */
        record Pulse(
                long steps,
                long busyNanos,
                long inputCpuNanos,
                long outputCpuNanos,
                long processCpuNanos,
                GeneratorState state)
                implements Report {
            static final Pulse NONE = new Pulse(0, 0, 0, 0, 0, GeneratorState.NOTHING);

            /** What was done, by what is no more. */
            Pulse buried() {
                return new Pulse(
                        steps, busyNanos, inputCpuNanos, outputCpuNanos, processCpuNanos, GeneratorState.NOTHING);
            }
        }
    }

    /** Why a sequence is no answer. */
    sealed interface Refusal {
        record Busy(int waiting, Duration retryAfter) implements Refusal {}

        record Invalid(int index, String message) implements Refusal {}

        record Closing() implements Refusal {}

        record Broken(String reason) implements Refusal {}
    }
}
