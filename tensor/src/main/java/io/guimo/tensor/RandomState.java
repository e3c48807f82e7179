package io.guimo.tensor;

import org.bytedeco.pytorch.global.torch;

/**
 * libtorch's random generator (a Mersenne twister, one a process): what initialises parameters and drops units. Used on the executor of training
 * only, where runs take turns.
 */
public final class RandomState {
    private RandomState() {}

    /** Restarts the generator. */
    public static void seed(long seed) {
        torch.manual_seed(seed);
    }

    /** The whole state, {@link DType#UINT8}, about 5,000 bytes: what comes next is the same after {@link #restore}. */
    public static Tensor save() {
        return Tensor.of(torch.getDefaultCPUGenerator().get_state());
    }

    /**
     * Goes back to a saved state.
     *
     * @throws TorchException when the bytes are no state of this libtorch
     */
    public static void restore(Tensor state) {
        torch.getDefaultCPUGenerator().set_state(state.handle());
    }
}
