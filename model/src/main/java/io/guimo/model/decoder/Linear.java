package io.guimo.model.decoder;

import io.guimo.model.Module;
import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import org.jspecify.annotations.Nullable;

/**
 * {@code y = W x + b}, or with a low-rank adapter {@code y = W x + b + (α / r) B A x} (Hu et al. 2021, arXiv 2106.09685, equation 3).
 *
 * <p>I inputs, O outputs, r rank.
 */
final class Linear extends Module {
    private static final String FACTOR_A = "lora_A"; // PEFT's names
    private static final String FACTOR_B = "lora_B";

    /** How the matrix lies in files. */
    enum Layout {
        /** [out, in], as usual. */
        OUT_IN,
        /** [in, out]: GPT-2's ({@code Conv1D} in transformers). */
        IN_OUT
    }

    /** A matrix of an adapter. */
    private static final class Factor extends Module {
        private final Tensor weightOI;

        Factor(Tensor weightOI) {
            this.weightOI = parameter("weight", weightOI);
        }

        @Override
        public Tensor forward(Tensor x) {
            return x.linear(weightOI, null);
        }
    }

    private record Adapter(Factor a, Factor b, double scale, double dropout) {
        Tensor forward(Tensor x, boolean training) {
            // in float32 whatever the network has: small steps of a bfloat16 number get lost
            Tensor update = b.forward(a.forward(x.to(DType.FLOAT32).dropout(dropout, training)));
            return update.multiply(scale).to(x.dtype());
        }

        Tensor productOI() {
            return b.weightOI.matmul(a.weightOI).multiply(scale);
        }
    }

    private final Layout layout;
    private final int in;
    private final int out;
    private final Tensor weight;
    private final @Nullable Tensor biasO;
    private @Nullable Adapter adapter;
    private boolean merged;

    Linear(Initial initial, int in, int out, Layout layout, boolean bias, double deviation) {
        this.layout = layout;
        this.in = in;
        this.out = out;
        weight = parameter(
                "weight",
                layout == Layout.OUT_IN ? initial.normal(deviation, out, in) : initial.normal(deviation, in, out));
        biasO = bias ? parameter("bias", initial.full(0, out)) : null;
    }

    @Override
    public Tensor forward(Tensor x) {
        Tensor y = x.linear(weightOI(), biasO);
        return adapter == null || merged ? y : y.add(adapter.forward(x, training()));
    }

    boolean isTransposed() {
        return layout == Layout.IN_OUT;
    }

    /** Adds an adapter that changes nothing yet: A drawn as PEFT draws it (uniform within 1 / √I), B zero. */
    void adapt(int rank, double alpha, double dropout) {
        if (adapter != null) throw new IllegalStateException("there is an adapter already");
        double bound = 1 / Math.sqrt(in);
        adapter = new Adapter(
                part(FACTOR_A, new Factor(Tensor.uniform(-bound, bound, rank, in))),
                part(FACTOR_B, new Factor(Tensor.zeros(DType.FLOAT32, out, rank))),
                alpha / rank,
                dropout);
    }

    /** Drops the adapter; what was merged is taken out again first. */
    void drop() {
        unmerge();
        adapter = null;
        removePart(FACTOR_A);
        removePart(FACTOR_B);
    }

    /** Adds the adapter's product to W, so that it costs nothing from here on. */
    void merge() {
        if (adapter == null || merged) return;
        addProduct(adapter, 1);
        merged = true;
    }

    /** Takes the product out of W again, up to rounding. */
    void unmerge() {
        if (adapter == null || !merged) return;
        addProduct(adapter, -1);
        merged = false;
    }

    private void addProduct(Adapter from, int sign) {
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            weightOI().addInPlace(from.productOI().to(weight.dtype()), sign);
        }
    }

    private Tensor weightOI() {
        return layout == Layout.OUT_IN ? weight : weight.transpose(0, 1);
    }
}
