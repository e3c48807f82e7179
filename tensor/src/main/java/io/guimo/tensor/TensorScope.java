package io.guimo.tensor;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GradMode;
import org.jspecify.annotations.Nullable;

/**
 * The owner of native memory: a tensor dies with its scope. The garbage collector sees only a handle of some bytes, so that without scopes a
 * training step leaks its activations (measured: 300 MB a step of a small BERT).
 *
 * <p>Two kinds. A scope from {@link #open()} belongs to its thread and nests: whatever an operation makes belongs to the innermost one. A scope from
 * {@link #owner()} belongs to an object (a network, a process), lives as long as that, and gets only what it is told to {@link #adopt}.
 *
 * <pre>{@code
 * try (TensorScope step = TensorScope.open()) {
 *     Tensor loss = network.forward(batch).crossEntropy(labels, 0);
 *     return step.moveOut(loss); // lives on in the enclosing scope
 * }
 * }</pre>
 */
public final class TensorScope implements AutoCloseable {
    private final @Nullable PointerScope pointers; // null: an owner
    private final TorchExecutor.@Nullable TorchThread thread;
    private final @Nullable TensorScope enclosing;
    private final @Nullable Boolean gradientsBefore;
    private final List<Pointer> adopted = new ArrayList<>();
    private boolean closed;

    private TensorScope(TorchExecutor.@Nullable TorchThread thread, boolean withoutGradients) {
        this.thread = thread;
        this.enclosing = thread == null ? null : thread.innermost();
        this.pointers = thread == null ? null : new PointerScope();
        if (thread != null) thread.innermost(this);
        this.gradientsBefore = withoutGradients ? GradMode.is_enabled() : null;
        if (withoutGradients) GradMode.set_enabled(false);
    }

    /**
     * Opens a scope inside the innermost one of this thread.
     *
     * @throws IllegalStateException when the thread is not one of a {@link TorchExecutor}
     */
    public static TensorScope open() {
        return new TensorScope(torchThread(), false);
    }

    /** Opens a scope in which operations record no graph for gradients: validation, inference, the optimiser's step. */
    public static TensorScope openWithoutGradients() {
        return new TensorScope(torchThread(), true);
    }

    /** A scope that belongs to no thread and owns what it adopts until it is closed, on any thread. */
    public static TensorScope owner() {
        return new TensorScope(null, false);
    }

    /** Makes the tensor live as long as this scope, besides the one that made it. */
    public synchronized Tensor adopt(Tensor tensor) {
        if (closed) throw new IllegalStateException("a closed scope cannot adopt a tensor");
        Pointer handle = tensor.handle();
        handle.retainReference();
        adopted.add(handle);
        return tensor;
    }

    /**
     * Moves a tensor that this scope owns to the enclosing scope of the thread.
     *
     * @throws IllegalStateException when there is no enclosing scope
     */
    public Tensor moveOut(Tensor tensor) {
        if (enclosing == null)
            throw new IllegalStateException("no scope encloses this one: adopt the tensor into an owner's scope");
        return enclosing.adopt(tensor);
    }

    /** Frees what belongs to this scope alone. */
    @Override
    public synchronized void close() {
        if (closed) return;
        if (thread != null) {
            if (Thread.currentThread() != thread || thread.innermost() != this) {
                throw new IllegalStateException("scopes of a thread are closed by that thread, the innermost first");
            }
            thread.innermost(enclosing);
        }
        closed = true;
        if (gradientsBefore != null) GradMode.set_enabled(gradientsBefore);
        if (pointers != null) pointers.close();
        for (Pointer handle : adopted) handle.releaseReference();
        adopted.clear();
    }

    /** Checks that an operation may run here: its results would else belong to nobody. */
    static void requireOpen() {
        if (torchThread().innermost() == null) {
            throw new IllegalStateException(
                    "no scope is open on this thread: a tensor would leak; open a TensorScope around the work");
        }
    }

    private static TorchExecutor.TorchThread torchThread() {
        if (Thread.currentThread() instanceof TorchExecutor.TorchThread thread) return thread;
        throw new IllegalStateException("tensor operations run on a TorchExecutor's threads, not on "
                + Thread.currentThread() + ": hand the work to executor.call(...)");
    }
}
