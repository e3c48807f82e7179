package io.guimo.inference.llama;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;

/** The weights of a GGUF file, mapped into memory and shared by the contexts that evaluate it. Closed after all of them. */
final class LlamaModel implements AutoCloseable {
    /** Told how much is loaded, 0 to 1. Called by native code: throws nothing. */
    interface Progress {
        void loaded(float fraction);
    }

    final LlamaLibrary library;
    final MemorySegment address;
    final int vocabularySize;
    /** Positions that it was trained with. */
    final int contextTrained;
    /**
     * Held for a step of any context of the model: two contexts at once would have more threads than processors wait for each other in loops. Fair,
     * so that an adapter's context gets every other step.
     */
    final ReentrantLock step = new ReentrantLock(true);

    /** @throws IOException if the file is no model that llama.cpp can continue text with; the message says what it found wrong */
    LlamaModel(LlamaLibrary library, Path gguf, Progress progress) throws IOException {
        this.library = library;
        LlamaLog.takeErrors();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment params = (MemorySegment) library.modelDefaultParams.invokeExact((SegmentAllocator) arena);
            params.set(ADDRESS, LlamaLibrary.ModelParams.PROGRESS_CALLBACK, progressCallback(progress, arena));
            address = (MemorySegment) library.modelLoadFromFile.invokeExact(
                    arena.allocateFrom(gguf.toAbsolutePath().toString()), params);
            if (address.address() == 0) {
                throw new IOException(gguf.getFileName() + " cannot be loaded: " + LlamaLog.takeErrors());
            }
            MemorySegment vocabulary = (MemorySegment) library.modelGetVocab.invokeExact(address);
            vocabularySize = (int) library.vocabSize.invokeExact(vocabulary);
            contextTrained = (int) library.modelContextTrained.invokeExact(address);
            if ((boolean) library.modelHasEncoder.invokeExact(address)
                    || (boolean) library.modelIsRecurrent.invokeExact(address)
                    || (boolean) library.modelIsHybrid.invokeExact(address)) {
                library.modelFree.invokeExact(address);
                throw new IOException(
                        gguf.getFileName()
                                + " has an encoder or a recurrent state; only decoders with attention over all positions are served");
            }
        } catch (IOException known) {
            throw known;
        } catch (Throwable thrown) {
            throw LlamaLibrary.impossible(thrown);
        }
    }

    private static MemorySegment progressCallback(Progress progress, Arena arena) throws ReflectiveOperationException {
        MethodHandle target = MethodHandles.lookup()
                .findStatic(
                        LlamaModel.class,
                        "loaded",
                        MethodType.methodType(boolean.class, Progress.class, float.class, MemorySegment.class))
                .bindTo(progress);
        return Linker.nativeLinker()
                .upcallStub(target, FunctionDescriptor.of(JAVA_BOOLEAN, JAVA_FLOAT, ADDRESS), arena);
    }

    /** Called by native code; true: go on. */
    @SuppressWarnings("UnusedMethod") // found by its name
    private static boolean loaded(Progress progress, float fraction, MemorySegment unused) {
        progress.loaded(fraction);
        return true;
    }

    @Override
    public void close() {
        try {
            library.modelFree.invokeExact(address);
        } catch (Throwable thrown) {
            throw LlamaLibrary.impossible(thrown);
        }
    }
}
