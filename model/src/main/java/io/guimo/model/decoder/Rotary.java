package io.guimo.model.decoder;

import io.guimo.model.Part;
import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;

/**
 * Positions as rotations (Su et al. 2021, arXiv 2104.09864): feature d of a head and feature d + D/2 are a point that turns by {@code position · base^(−2d/D)},
 * so that the product of a query and a key depends on their distance alone. The pairing of halves is transformers'; the paper pairs neighbours.
 */
final class Rotary extends Part {
    private final Tensor frequenciesD; // each twice, one for each half
    private final Tensor signsD; // −1 for the first half, 1 for the second
    private final int half;

    Rotary(int headSize, double base, RotaryScaling scaling) {
        half = headSize / 2;
        float[] frequencies = new float[headSize];
        float[] signs = new float[headSize];
        for (int d = 0; d < headSize; d++) {
            frequencies[d] = (float) scaling.scale(Math.pow(base, -2.0 * (d % half) / headSize));
            signs[d] = d < half ? -1 : 1;
        }
        frequenciesD = constant(Tensor.of(frequencies, headSize));
        signsD = constant(Tensor.of(signs, headSize));
    }

    /**
     * Cosines and sines for some positions, [T, 1, D].
     *
     * @param sin of the first half negative
     */
    record Turn(Tensor cos, Tensor sin) {}

    /** @param positionsT INT64 */
    Turn at(Tensor positionsT, DType type) {
        Tensor anglesTD = positionsT.to(DType.FLOAT32).reshape(-1, 1, 1).multiply(frequenciesD);
        return new Turn(anglesTD.cos().to(type), anglesTD.sin().multiply(signsD).to(type));
    }

    /** (a, b) to (a cos − b sin, b cos + a sin), where a and b are the halves of D. */
    Tensor turn(Tensor xBTHD, Turn turn) {
        return xBTHD.multiply(turn.cos).add(xBTHD.roll(half, -1).multiply(turn.sin));
    }
}
