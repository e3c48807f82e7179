package io.guimo.tensor;

/**
 * What decides the last bits of a result: recorded with every run. The same seed and data in an equal environment repeat a run bit for bit.
 *
 * @param torch version of libtorch, such as {@code 2.10.0}
 * @param blas library behind matrix products
 * @param threads threads inside one operation
 * @param device where tensors lie
 * @param processor vector instructions that libtorch chose, such as {@code AVX512}
 */
public record TorchEnvironment(String torch, Blas blas, int threads, Device device, String processor) {}
