/**
 * Networks: what they compute, their parameters by name, and the files that hold them.
 *
 * <p>Read {@link io.guimo.model.SmallResNet} first: it reads like its paper. {@link io.guimo.model.Module} is what every network is: named
 * parameters and buffers in native memory that it owns. {@link io.guimo.model.ArchitectureSettings} is a network's block in the business file;
 * {@link io.guimo.model.Safetensors} reads and writes weights. Language models are in {@code io.guimo.model.decoder}, the files of llama.cpp in {@code
 * io.guimo.model.gguf}.
 *
 * <p>Owns no stored state. Losses, optimisers and loops belong to {@code task} and {@code train}; what runs a packaged network for customers belongs to
 * {@code inference}. Dimension letters in names: B batch, C channels, H and W pixels, K classes, N items, O and I a matrix's outputs and inputs.
 *
 * <p>Invariants: a name of a parameter never changes while files with it exist; a file from outside is read within bounds of memory that its own
 * header can't raise.
 */
@NullMarked
package io.guimo.model;

import org.jspecify.annotations.NullMarked;
