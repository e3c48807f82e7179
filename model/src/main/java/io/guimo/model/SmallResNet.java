package io.guimo.model;

import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;

/**
 * Residual network for small images (He et al. 2015, arXiv 1512.03385, section 4.2), made cheap: the stem has stride 2, so that every later
 * convolution sees a quarter of the pixels, and two stages stand in for three.
 *
 * <p>B batch, C channels, H, W pixels, F features of the first stage, K classes.
 */
public final class SmallResNet extends Module {
    private final ConvolutionAndNorm stem;
    private final ResidualBlock first;
    private final ConvolutionAndNorm down;
    private final ResidualBlock second;
    private final Linear head;

    /**
     * Parameters are drawn from the process's random state (He initialisation).
     *
     * @param channels C, 1 for grey and 3 for colour
     * @param width F, features of the first stage; the second has 2F
     * @param classes K
     */
    public SmallResNet(int channels, int width, int classes) {
        if (classes < 2)
            throw new IllegalArgumentException(classes + " classes leave nothing to tell apart: at least 2 are needed");
        stem = part("stem", new ConvolutionAndNorm(channels, width, 2));
        first = part("first", new ResidualBlock(width));
        down = part("down", new ConvolutionAndNorm(width, 2 * width, 2));
        second = part("second", new ResidualBlock(2 * width));
        head = part("head", new Linear(2 * width, classes));
    }

    /**
     * @param imagesBCHW normalised pixels, FLOAT32
     * @return logits, [B, K]
     */
    @Override
    public Tensor forward(Tensor imagesBCHW) {
        Tensor h = stem.forward(imagesBCHW.channelsLast()).reluInPlace(); // [B, F, H/2, W/2]
        h = first.forward(h); // [B, F, H/2, W/2]
        h = down.forward(h).reluInPlace(); // [B, 2F, H/4, W/4]
        h = second.forward(h); // [B, 2F, H/4, W/4]
        return head.forward(h.mean(2, 3)); // [B, K]
    }

    /** y = relu(x + f(x)), f two convolutions of 3 × 3, each normalised (figure 2 of the paper). */
    private static final class ResidualBlock extends Module {
        private final ConvolutionAndNorm inner;
        private final ConvolutionAndNorm outer;

        ResidualBlock(int features) {
            inner = part("inner", new ConvolutionAndNorm(features, features, 1));
            outer = part("outer", new ConvolutionAndNorm(features, features, 1));
        }

        @Override
        public Tensor forward(Tensor xBFHW) {
            Tensor residualBFHW = outer.forward(inner.forward(xBFHW).reluInPlace());
            return residualBFHW.addInPlace(xBFHW, 1).reluInPlace();
        }
    }

    /** A convolution of 3 × 3 and the batch normalisation of its result, which makes a bias of the convolution superfluous. */
    private static final class ConvolutionAndNorm extends Module {
        private final Convolution convolution;
        private final BatchNorm norm;

        ConvolutionAndNorm(int in, int out, int stride) {
            convolution = part("convolution", new Convolution(in, out, stride));
            norm = part("norm", new BatchNorm(out));
        }

        @Override
        public Tensor forward(Tensor xBIHW) {
            return norm.forward(convolution.forward(xBIHW));
        }
    }

    private static final class Convolution extends Module {
        private static final int KERNEL = 3;

        private final Tensor weightOIKK;
        private final int stride;

        Convolution(int in, int out, int stride) {
            this.stride = stride;
            // He et al. 2015, arXiv 1502.01852, section 2.2: the variance that keeps gradients' size through rectifiers
            double deviation = Math.sqrt(2.0 / (KERNEL * KERNEL * out));
            weightOIKK = parameter(
                    "weight",
                    Tensor.normal(0, deviation, out, in, KERNEL, KERNEL).channelsLast());
        }

        @Override
        public Tensor forward(Tensor xBIHW) {
            return xBIHW.convolve(weightOIKK, stride, KERNEL / 2);
        }
    }

    private static final class BatchNorm extends Module {
        private static final double MOMENTUM = .1; // libtorch's defaults
        private static final double EPSILON = 1e-5;

        private final Tensor weightC;
        private final Tensor biasC;
        private final Tensor runningMeanC;
        private final Tensor runningVarianceC;

        BatchNorm(int channels) {
            weightC = parameter("weight", Tensor.full(1, channels));
            biasC = parameter("bias", Tensor.zeros(DType.FLOAT32, channels));
            runningMeanC = buffer("running_mean", Tensor.zeros(DType.FLOAT32, channels));
            runningVarianceC = buffer("running_var", Tensor.full(1, channels));
        }

        @Override
        public Tensor forward(Tensor xBCHW) {
            return xBCHW.batchNorm(weightC, biasC, runningMeanC, runningVarianceC, training(), MOMENTUM, EPSILON);
        }
    }

    /** y = W x + b. */
    private static final class Linear extends Module {
        private final Tensor weightOI;
        private final Tensor biasO;

        Linear(int in, int out) {
            double bound = 1 / Math.sqrt(in);
            weightOI = parameter("weight", Tensor.uniform(-bound, bound, out, in));
            biasO = parameter("bias", Tensor.uniform(-bound, bound, out));
        }

        @Override
        public Tensor forward(Tensor xBI) {
            return xBI.linear(weightOI, biasO);
        }
    }
}
