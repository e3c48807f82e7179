package io.guimo.inference.llama;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The functions of libllama that a decoder needs, at the addresses and with the struct layouts of version {@value #VERSION} ({@code include/llama.h}
 * and {@code ggml/include/ggml.h} of that version). The C interface moves from release to release without saying so, hence {@link #open} checks what
 * it can before anything is called with a struct: the version, and the size of each struct as the library itself writes it.
 *
 * <p>A library stays loaded until the process ends: native code cannot be unloaded safely.
 */
final class LlamaLibrary {
    static final String VERSION = "0.5.0";

    /** {@code llama_model_params}, 80 bytes. */
    static final class ModelParams {
        static final StructLayout LAYOUT = opaque(80);
        static final long LOAD_MODE = 24; // llama_load_mode
        static final long PROGRESS_CALLBACK = 48; // bool (*)(float, void *)
        static final long CHECK_TENSORS = 73;

        private ModelParams() {}
    }

    /** {@code llama_context_params}, 160 bytes. */
    static final class ContextParams {
        static final StructLayout LAYOUT = opaque(160);
        static final long N_CTX = 0;
        static final long N_BATCH = 4;
        static final long N_UBATCH = 8;
        static final long N_SEQ_MAX = 12;
        static final long N_OUTPUTS_MAX = 20;
        static final long N_THREADS = 28;
        static final long N_THREADS_BATCH = 32;
        static final long FLASH_ATTENTION = 52; // llama_flash_attn_type
        static final long ABORT_CALLBACK = 112; // bool (*)(void *)
        static final long ABORT_CALLBACK_DATA = 120;
        static final long KV_UNIFIED = 133;

        private ContextParams() {}
    }

    /** {@code llama_batch}, 56 bytes. */
    static final class Batch {
        static final StructLayout LAYOUT = MemoryLayout.structLayout(
                JAVA_INT.withName("n_tokens"),
                MemoryLayout.paddingLayout(4),
                ADDRESS.withName("token"),
                ADDRESS.withName("embd"),
                ADDRESS.withName("pos"),
                ADDRESS.withName("n_seq_id"),
                ADDRESS.withName("seq_id"),
                ADDRESS.withName("logits"));
        static final long N_TOKENS = offset("n_tokens");
        static final long TOKEN = offset("token");
        static final long POS = offset("pos");
        static final long N_SEQ_ID = offset("n_seq_id");
        static final long SEQ_ID = offset("seq_id");
        static final long LOGITS = offset("logits");

        private Batch() {}

        private static long offset(String field) {
            return LAYOUT.byteOffset(MemoryLayout.PathElement.groupElement(field));
        }
    }

    /** {@code ggml_threadpool_params}: a byte for each of 512 processors, then these. */
    static final class ThreadpoolParams {
        static final long BYTES = 528;
        static final long N_THREADS = 512;
        static final long POLL = 520;

        private ThreadpoolParams() {}
    }

    private static final int GGML_BACKEND_DEVICE_TYPE_CPU = 0;
    /** Bytes offered to a function that returns a struct, so that one which grew writes into them and not past them. */
    private static final int MOST_STRUCT_BYTES = 1024;

    private final Arena arena = Arena.global();
    private final SymbolLookup symbols;

    final MethodHandle modelDefaultParams;
    final MethodHandle modelLoadFromFile;
    final MethodHandle modelFree;
    final MethodHandle modelGetVocab;
    final MethodHandle modelContextTrained;
    final MethodHandle modelHasEncoder;
    final MethodHandle modelIsRecurrent;
    final MethodHandle modelIsHybrid;
    final MethodHandle vocabSize;
    final MethodHandle contextDefaultParams;
    final MethodHandle initFromModel;
    final MethodHandle free;
    final MethodHandle contextCells;
    final MethodHandle contextBatch;
    final MethodHandle contextSequences;
    final MethodHandle getMemory;
    final MethodHandle sequenceRemove;
    final MethodHandle sequenceCopy;
    final MethodHandle sequenceLast;
    final MethodHandle decode;
    final MethodHandle logitsAt;
    final MethodHandle adapterInit;
    final MethodHandle adapterFree;
    final MethodHandle setAdapters;
    final MethodHandle attachThreadpool;
    final MethodHandle threadpoolParamsInit;
    final MethodHandle threadpoolNew;
    final MethodHandle threadpoolFree;

    /**
     * @param folder with {@code libllama} and {@code libggml} of version {@value #VERSION} and the kernels for each kind of processor
     * @throws IOException if the folder lacks one, it is of another version, or no kernels fit this processor
     */
    static LlamaLibrary open(Path folder) throws IOException {
        Path ggml = requireFile(folder, "libggml.v" + VERSION + ".so");
        Path llama = requireFile(folder, "libllama.v" + VERSION + ".so");
        try {
            return new LlamaLibrary(folder, ggml, llama);
        } catch (IllegalArgumentException | UnsatisfiedLinkError e) {
            throw new IOException(
                    "llama.cpp in " + folder + " cannot be loaded: " + e.getMessage() + "; llama.cpp " + VERSION
                            + " for Linux x86-64 with glibc 2.34 or newer is needed",
                    e);
        }
    }

    private static Path requireFile(Path folder, String name) throws IOException {
        Path file = folder.resolve(name).toAbsolutePath();
        if (Files.isRegularFile(file)) return file;
        throw new IOException(folder + " has no " + name + ": it is no llama.cpp " + VERSION);
    }

    private LlamaLibrary(Path folder, Path ggml, Path llama) throws IOException {
        // libggml first: libllama asks for it by name
        SymbolLookup inGgml = SymbolLookup.libraryLookup(ggml, arena);
        SymbolLookup inLlama = SymbolLookup.libraryLookup(llama, arena);
        SymbolLookup inBase = SymbolLookup.libraryLookup(
                requireFile(folder, "libggml-base.so"), arena); // loaded by the others already
        symbols = name -> inLlama.find(name).or(() -> inGgml.find(name)).or(() -> inBase.find(name));

        MemorySegment version = (MemorySegment) call(function("llama_version", ADDRESS));
        requireVersion(text(version));
        requireSize("llama_model_params", ModelParams.LAYOUT, "llama_model_default_params");
        requireSize("llama_context_params", ContextParams.LAYOUT, "llama_context_default_params");
        requireSize("llama_batch", Batch.LAYOUT, "llama_batch_get_one", MemorySegment.NULL, 0);

        LlamaLog.route(function("llama_log_set", null, ADDRESS, ADDRESS), arena);
        if (kernels().address() == 0) { // else this process has loaded them, and would hold each twice
            call(
                    function("ggml_backend_load_all_from_path", null, ADDRESS),
                    arena.allocateFrom(folder.toAbsolutePath().toString()));
            call(function("llama_backend_init", null));
        }

        modelDefaultParams = function("llama_model_default_params", ModelParams.LAYOUT);
        modelLoadFromFile = function("llama_model_load_from_file", ADDRESS, ADDRESS, ModelParams.LAYOUT);
        modelFree = function("llama_model_free", null, ADDRESS);
        modelGetVocab = function("llama_model_get_vocab", ADDRESS, ADDRESS);
        modelContextTrained = function("llama_model_n_ctx_train", JAVA_INT, ADDRESS);
        modelHasEncoder = function("llama_model_has_encoder", JAVA_BOOLEAN, ADDRESS);
        modelIsRecurrent = function("llama_model_is_recurrent", JAVA_BOOLEAN, ADDRESS);
        modelIsHybrid = function("llama_model_is_hybrid", JAVA_BOOLEAN, ADDRESS);
        vocabSize = function("llama_vocab_n_tokens", JAVA_INT, ADDRESS);
        contextDefaultParams = function("llama_context_default_params", ContextParams.LAYOUT);
        initFromModel = function("llama_init_from_model", ADDRESS, ADDRESS, ContextParams.LAYOUT);
        free = function("llama_free", null, ADDRESS);
        contextCells = function("llama_n_ctx", JAVA_INT, ADDRESS);
        contextBatch = function("llama_n_batch", JAVA_INT, ADDRESS);
        contextSequences = function("llama_n_seq_max", JAVA_INT, ADDRESS);
        getMemory = function("llama_get_memory", ADDRESS, ADDRESS);
        sequenceRemove = function("llama_memory_seq_rm", JAVA_BOOLEAN, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT);
        sequenceCopy = function("llama_memory_seq_cp", null, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
        sequenceLast = function("llama_memory_seq_pos_max", JAVA_INT, ADDRESS, JAVA_INT);
        decode = function("llama_decode", JAVA_INT, ADDRESS, Batch.LAYOUT);
        logitsAt = function("llama_get_logits_ith", ADDRESS, ADDRESS, JAVA_INT);
        adapterInit = function("llama_adapter_lora_init", ADDRESS, ADDRESS, ADDRESS);
        adapterFree = function("llama_adapter_lora_free", null, ADDRESS);
        setAdapters = function("llama_set_adapters_lora", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
        attachThreadpool = function("llama_attach_threadpool", null, ADDRESS, ADDRESS, ADDRESS);
        threadpoolParamsInit = function("ggml_threadpool_params_init", null, ADDRESS, JAVA_INT);
        threadpoolNew = kernelFunction("ggml_threadpool_new", FunctionDescriptor.of(ADDRESS, ADDRESS));
        threadpoolFree = kernelFunction("ggml_threadpool_free", FunctionDescriptor.ofVoid(ADDRESS));
    }

    private static void requireVersion(String found) throws IOException {
        if (found.equals(VERSION) || found.startsWith(VERSION + "-")) return;
        throw new IOException("libllama says that it is version " + found + "; " + VERSION + " is needed");
    }

    /**
     * Calls a function that returns a struct by value, which the library writes into memory that the caller offers, and looks how far it wrote.
     *
     * <p>Everything is zeroed in one call and filled with ones in the next: a byte that differs between both was not written, padding aside.
     */
    private void requireSize(String struct, StructLayout layout, String returnedBy, Object... arguments)
            throws IOException {
        MemoryLayout[] parameters = new MemoryLayout[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            parameters[i] = arguments[i] instanceof MemorySegment ? ADDRESS : JAVA_INT;
        }
        MethodHandle function = function(returnedBy, opaque(MOST_STRUCT_BYTES), parameters);
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment overZeros = scratch.allocate(MOST_STRUCT_BYTES, 8).fill((byte) 0);
            MemorySegment overOnes = scratch.allocate(MOST_STRUCT_BYTES, 8).fill((byte) 0xFF);
            for (MemorySegment offered : new MemorySegment[] {overZeros, overOnes}) {
                Object[] all = new Object[arguments.length + 1];
                all[0] = (SegmentAllocator) (bytes, alignment) -> offered;
                System.arraycopy(arguments, 0, all, 1, arguments.length);
                call(function, all);
            }
            long end = MOST_STRUCT_BYTES;
            while (end > 0 && overZeros.get(JAVA_BYTE, end - 1) != overOnes.get(JAVA_BYTE, end - 1)) end--;
            long size = (end + 7) / 8 * 8;
            if (size == layout.byteSize()) return;
            throw new IOException("libllama's " + struct + " has " + size + " bytes; version " + VERSION + " has "
                    + layout.byteSize() + ": it was built from other source");
        }
    }

    /** What the kernels for this processor export, which are loaded apart. */
    private MethodHandle kernelFunction(String name, FunctionDescriptor descriptor) throws IOException {
        MemorySegment device = kernels();
        if (device.address() == 0) throw new IOException("llama.cpp has no kernels that run on this processor");
        MemorySegment registry =
                (MemorySegment) call(function("ggml_backend_dev_backend_reg", ADDRESS, ADDRESS), device);
        MemorySegment found = (MemorySegment) call(
                function("ggml_backend_reg_get_proc_address", ADDRESS, ADDRESS, ADDRESS),
                registry,
                arena.allocateFrom(name));
        if (found.address() == 0) throw new UnsatisfiedLinkError("the kernels have no " + name);
        return Linker.nativeLinker().downcallHandle(found, descriptor);
    }

    private MemorySegment kernels() {
        return (MemorySegment)
                call(function("ggml_backend_dev_by_type", ADDRESS, JAVA_INT), GGML_BACKEND_DEVICE_TYPE_CPU);
    }

    private MethodHandle function(String name, @Nullable MemoryLayout result, MemoryLayout... parameters) {
        FunctionDescriptor descriptor =
                result == null ? FunctionDescriptor.ofVoid(parameters) : FunctionDescriptor.of(result, parameters);
        Optional<MemorySegment> address = symbols.find(name);
        return Linker.nativeLinker()
                .downcallHandle(
                        address.orElseThrow(() -> new UnsatisfiedLinkError("there is no function " + name)),
                        descriptor);
    }

    /** For what is called once. The hot path uses {@code invokeExact}. */
    static Object call(MethodHandle function, Object... arguments) {
        try {
            return function.invokeWithArguments(arguments);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** A native function throws nothing; what comes out of its handle is a mistake of ours. */
    static RuntimeException impossible(Throwable thrown) {
        if (thrown instanceof RuntimeException known) return known;
        if (thrown instanceof Error error) throw error;
        return new IllegalStateException(thrown);
    }

    private static StructLayout opaque(long bytes) {
        return MemoryLayout.structLayout(MemoryLayout.sequenceLayout(bytes / 8, JAVA_LONG));
    }

    /** A C string. */
    static String text(MemorySegment address) {
        return address.reinterpret(Long.MAX_VALUE).getString(0);
    }

    /** An array of floats. */
    static MemorySegment floats(MemorySegment address, int count) {
        return address.reinterpret(JAVA_FLOAT.byteSize() * count);
    }
}
