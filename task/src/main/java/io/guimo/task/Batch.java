package io.guimo.task;

import io.guimo.tensor.Tensor;

/**
 * What one step learns from.
 *
 * @param inputs as the network takes them, first dimension {@code size}
 * @param targets as the problem's loss takes them, first dimension {@code size}
 * @param size examples in it
 */
public record Batch(Tensor inputs, Tensor targets, int size) {}
