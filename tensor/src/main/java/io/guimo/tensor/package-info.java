/**
 * Numbers in native memory and the operations on them; the only package of the house that imports libtorch.
 *
 * <p>Read {@link io.guimo.tensor.Torch} first: it loads the native library once for the process, with the BLAS and the number of threads that a
 * short measurement found fastest on this machine. Then {@link io.guimo.tensor.Tensor} (what the house's networks and its training loop
 * need, nothing else), {@link io.guimo.tensor.TensorScope} (who owns native memory) and {@link io.guimo.tensor.TorchExecutor} (where operations
 * may run).
 *
 * <p>Owns: the process's native library, its random state and, in the cache folder, the extracted libraries and {@code torch-choice.properties}.
 * Layers and networks belong to {@code model}, optimisers' rules to {@code train}.
 *
 * <p>Invariants: every tensor belongs to a scope and dies with it; every operation runs on a platform thread of a {@code TorchExecutor}, because
 * libtorch keeps its gradient mode in the operating system's thread, which virtual threads share; no class of another package sees a type
 * of {@code org.bytedeco}.
 */
@NullMarked
package io.guimo.tensor;

import org.jspecify.annotations.NullMarked;
