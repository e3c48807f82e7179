package io.guimo.tensor;

/** Where a tensor's bytes lie. The natives that the house ships hold the processor's memory; it is recorded with runs and packages. */
public enum Device {
    CPU
}
