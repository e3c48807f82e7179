package io.guimo.model;

import io.guimo.tensor.Tensor;

/** A network, or a part of one that computes one tensor from one. */
public abstract class Module extends Part {
    /** Computes the answer to a batch; shapes as the network says. */
    public abstract Tensor forward(Tensor input);
}
