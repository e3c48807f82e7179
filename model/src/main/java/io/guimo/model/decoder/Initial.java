package io.guimo.model.decoder;

import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** What a decoder's parameters hold at first: numbers drawn from the process's random state, or nothing yet, because a file's will be read into them. */
final class Initial {
    /** To be trained from nothing: FLOAT32. */
    static final Initial DRAWN = new Initial(null);

    private final @Nullable DType open;

    private Initial(@Nullable DType open) {
        this.open = open;
    }

    /** To be read. Until then the parameters take no memory. */
    static Initial open(DType type) {
        return new Initial(type);
    }

    /** A matrix or table. */
    Tensor normal(double deviation, long... shape) {
        return open == null ? Tensor.normal(0, deviation, shape) : Tensor.uninitialised(open, shape);
    }

    /** A scale or a bias. */
    Tensor full(float value, long... shape) {
        return open == null ? Tensor.full(value, shape) : Tensor.uninitialised(open, shape);
    }
}
