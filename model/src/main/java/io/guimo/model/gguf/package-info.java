/**
 * Files in the GGUF format, as llama.cpp and those around it publish models: what their header says and where their tensors' bytes lie.
 *
 * <p>Read {@link io.guimo.model.gguf.GgufFile} first. {@link io.guimo.model.gguf.GgufValue} is an entry of the metadata, {@link
 * io.guimo.model.gguf.GgufTensorType} how a tensor's elements are packed, {@link
 * io.guimo.model.gguf.GgufBlocks} what packed bytes mean in numbers; {@link io.guimo.model.gguf.GgufWriter} writes a file.
 *
 * <p>Owns no stored state. Which tensors a network needs and in what order belongs to the networks ({@code io.guimo.model.decoder}).
 *
 * <p>Invariants: whatever the bytes of a file are, opening it ends with a sound header or with one {@link io.guimo.model.gguf.MalformedGguf}, in time and
 * memory bounded by {@link io.guimo.model.gguf.GgufFile#HEADER_LIMIT}.
 */
@NullMarked
package io.guimo.model.gguf;

import org.jspecify.annotations.NullMarked;
