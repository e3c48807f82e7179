package io.guimo.inference.llama;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Processor time by the system's clocks, in nanoseconds: the JDK's own readings count the process in hundredths of a second, longer than a step.
 */
final class ProcessorClock {
    // <time.h> of Linux
    private static final int CLOCK_PROCESS_CPUTIME_ID = 2;
    private static final int CLOCK_THREAD_CPUTIME_ID = 3;

    private final MethodHandle clockGettime = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("clock_gettime"),
                    FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));

    /** Of all threads of this process, native ones and ended ones included. */
    long process() {
        return read(CLOCK_PROCESS_CPUTIME_ID);
    }

    /** Of the thread that calls, which must be a platform thread. */
    long thread() {
        return read(CLOCK_THREAD_CPUTIME_ID);
    }

    private long read(int clock) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment time = arena.allocate(JAVA_LONG, 2); // seconds, nanoseconds
            int status = (int) clockGettime.invokeExact(clock, time);
            if (status != 0) throw new IllegalStateException("clock " + clock + " cannot be read");
            return time.getAtIndex(JAVA_LONG, 0) * 1_000_000_000 + time.getAtIndex(JAVA_LONG, 1);
        } catch (Throwable thrown) {
            throw LlamaLibrary.impossible(thrown);
        }
    }
}
