package io.guimo.inference.llama;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What llama.cpp prints, given to slf4j a level quieter than it says: it calls warnings what is its normal course, and what fails is told by the
 * caller. The errors of a thread are kept for that caller's message.
 */
final class LlamaLog {
    private static final Logger LOG = LoggerFactory.getLogger("llama.cpp");
    // enum ggml_log_level
    private static final int WARN = 3;
    private static final int ERROR = 4;
    private static final int CONTINUED = 5;
    private static final int MOST_ERRORS = 4;

    /** Errors of the native call that the thread is in: the library logs on the thread that called it. */
    private static final ThreadLocal<List<String>> ERRORS = ThreadLocal.withInitial(ArrayList::new);

    private LlamaLog() {}

    static void route(MethodHandle logSet, Arena arena) {
        try {
            MethodHandle target = MethodHandles.lookup()
                    .findStatic(
                            LlamaLog.class,
                            "log",
                            MethodType.methodType(void.class, int.class, MemorySegment.class, MemorySegment.class));
            MemorySegment callback = Linker.nativeLinker()
                    .upcallStub(target, FunctionDescriptor.ofVoid(JAVA_INT, ADDRESS, ADDRESS), arena);
            LlamaLibrary.call(logSet, callback, MemorySegment.NULL);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Called by native code. */
    @SuppressWarnings("UnusedMethod") // found by its name
    private static void log(int level, MemorySegment text, MemorySegment unused) {
        if (level < WARN || level == CONTINUED)
            return; // hundreds of lines about each model, and the dots of its progress
        String line = LlamaLibrary.text(text).strip();
        if (level == ERROR) {
            LOG.info(line);
            List<String> errors = ERRORS.get();
            if (errors.size() < MOST_ERRORS) errors.add(line);
        } else {
            LOG.debug(line);
        }
    }

    /** The first errors that native code told on this thread since the last call, which say more than the later ones; a sentence's end. */
    static String takeErrors() {
        List<String> errors = ERRORS.get();
        String joined = errors.isEmpty() ? "llama.cpp gives no reason" : String.join("; ", errors);
        errors.clear();
        return joined;
    }
}
