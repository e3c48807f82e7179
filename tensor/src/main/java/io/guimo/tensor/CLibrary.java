package io.guimo.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The few functions of the C library that libtorch's surroundings need, called through Java's foreign-function interface. What only glibc has does
 * nothing elsewhere.
 */
final class CLibrary {
    // <malloc.h> of glibc
    private static final int M_TRIM_THRESHOLD = -1;
    private static final int M_TOP_PAD = -2;
    private static final int M_MMAP_THRESHOLD = -3;

    /** The greatest that glibc accepts: half of a thread arena's heap. */
    private static final int LARGEST_MMAP_THRESHOLD = 32 << 20;

    /** {@code struct mallinfo2}: ten size_t. */
    private static final MemoryLayout MALLINFO2 = MemoryLayout.sequenceLayout(10, ValueLayout.JAVA_LONG);

    private static final int HBLKHD = 4; // bytes in blocks mapped by themselves
    private static final int UORDBLKS = 7; // bytes handed out from the arenas

    private CLibrary() {}

    /** Sets a variable of the process's C environment, which {@link System#getenv} doesn't show, unless the user has set it. */
    static void setEnvironment(String name, String value) {
        if (System.getenv(name) != null) return;
        MethodHandle setenv = function(
                        "setenv",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT))
                .orElse(null);
        if (setenv == null) return; // Windows: its own threads library reads other variables
        try (Arena arena = Arena.ofConfined()) {
            int status = (int) setenv.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 0);
            if (status != 0) throw new IllegalStateException("setenv refused " + name + "=" + value);
        } catch (RuntimeException | Error known) {
            throw known;
        } catch (Throwable impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /**
     * Has malloc keep what is freed rather than give it back to the system: a training step frees and takes the same megabytes hundreds of times
     * a second, and each mapping costs its page faults again. 1 to 5 % of a step (STACK measurements in docs/log.md).
     */
    static void keepFreedMemory() {
        MethodHandle mallopt = function(
                        "mallopt",
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))
                .orElse(null);
        if (mallopt == null) return;
        try {
            int kept = (int) mallopt.invokeExact(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD);
            kept += (int) mallopt.invokeExact(M_TRIM_THRESHOLD, 512 << 20);
            kept += (int) mallopt.invokeExact(M_TOP_PAD, 16 << 20);
            if (kept != 3) throw new IllegalStateException("mallopt refused a threshold");
        } catch (RuntimeException | Error known) {
            throw known;
        } catch (Throwable impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Bytes that malloc has handed out and not got back, over all threads; empty where the C library can't tell. */
    static OptionalLong allocatedBytes() {
        Optional<MethodHandle> mallinfo = function("mallinfo2", FunctionDescriptor.of(struct()));
        if (mallinfo.isEmpty()) return OptionalLong.empty();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = (MemorySegment) mallinfo.get().invokeExact((SegmentAllocator) arena);
            return OptionalLong.of(
                    info.getAtIndex(ValueLayout.JAVA_LONG, UORDBLKS) + info.getAtIndex(ValueLayout.JAVA_LONG, HBLKHD));
        } catch (RuntimeException | Error known) {
            throw known;
        } catch (Throwable impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static MemoryLayout struct() {
        // FFM wants a struct for a return by value
        return MemoryLayout.structLayout(MALLINFO2);
    }

    private static Optional<MethodHandle> function(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup().find(name).map(address -> linker.downcallHandle(address, descriptor));
    }
}
