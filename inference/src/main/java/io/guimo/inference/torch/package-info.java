/**
 * Decoders evaluated by libtorch in this process: those trained here, and any whose weights are no GGUF that llama.cpp packs tighter.
 *
 * <p>Read {@link io.guimo.inference.torch.TorchDecoderBackend}: what {@link io.guimo.inference.generate.Scheduler} needs of an engine, over a network of
 * {@code io.guimo.model.decoder} and its cache of keys and values.
 *
 * <p>Owns no stored state. Invariant: one thread evaluates, with one thread inside an operation, so that its clock is the whole cost
 * (docs/decisions/0031).
 */
@NullMarked
package io.guimo.inference.torch;

import org.jspecify.annotations.NullMarked;
