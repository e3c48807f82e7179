package io.guimo.tensor;

/** Library behind matrix products. Convolutions go through oneDNN, which both builds carry. */
public enum Blas {
    /** Intel's, on x86-64 Linux. */
    MKL,
    /** Everywhere else; kept on one thread, since its pool fights with OpenMP's (an MLP was 50 times slower). */
    OPENBLAS
}
