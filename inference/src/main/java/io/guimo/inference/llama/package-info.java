/**
 * llama.cpp as an engine for models in GGUF, in a process of its own.
 *
 * <p>Read {@link io.guimo.inference.llama.LlamaTextGenerator} first: it lives in the server, starts the worker process, hands it requests and gives
 * its tokens to whoever reads them. {@code LlamaWorker} is the other side: the scheduler, the sampler and {@code LlamaBackend}, which drives
 * libllama through Java's foreign-function interface ({@code LlamaLibrary}). {@code WorkerWire} is what the two say to each other.
 *
 * <p>Owns no stored state. Tokenizers and templates belong to {@code text}, scheduling and sampling to {@code generate}.
 *
 * <p>Invariants: a fault of native code ends the worker and nothing else; each stream of a dead worker ends with {@code EngineFailed}, after the
 * tokens that had arrived; no call waits for a worker that is not alive; a worker never outlives the server; logits never leave the worker.
 */
@NullMarked
package io.guimo.inference.llama;

import org.jspecify.annotations.NullMarked;
