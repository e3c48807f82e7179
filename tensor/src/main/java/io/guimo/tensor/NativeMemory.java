package io.guimo.tensor;

import org.bytedeco.javacpp.Pointer;

/** What lives outside the Java heap. */
public final class NativeMemory {
    private NativeMemory() {}

    /**
     * Bytes handed out by the C library's allocator in this process: tensors, libtorch's buffers and graphs, and what the JVM itself keeps there
     * (its compilers add and drop some megabytes, so compare figures with that tolerance). Where the C library can't tell (not glibc), bytes
     * of the handles that Java holds.
     */
    public static long liveBytes() {
        return CLibrary.allocatedBytes().orElseGet(Pointer::totalBytes);
    }

    /** Native objects that Java holds, exactly: a loop that ends its scopes leaves the number as it was. */
    public static long liveHandles() {
        return Pointer.totalCount();
    }
}
