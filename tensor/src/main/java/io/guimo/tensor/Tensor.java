package io.guimo.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * An array of numbers in native memory, of any shape; row-major unless {@link #channelsLast} says otherwise. Belongs to the innermost {@link TensorScope} of the
 * thread that made it. Operations return new tensors; those whose names end in {@code InPlace} change this one. The operations are libtorch's, and
 * those alone that the house's networks and its training loop need.
 *
 * <p>Every operation throws {@link IllegalStateException} off a {@link TorchExecutor}'s thread, outside a scope or on a tensor whose scope is
 * closed, and {@link TorchException} when shapes or types don't fit.
 */
public final class Tensor {
    private final org.bytedeco.pytorch.Tensor handle;

    private Tensor(org.bytedeco.pytorch.Tensor handle) {
        this.handle = handle;
    }

    /** Wraps a handle that libtorch has just made: it has attached itself to the innermost scope. */
    static Tensor of(org.bytedeco.pytorch.Tensor handle) {
        TensorScope.requireOpen();
        return new Tensor(handle);
    }

    org.bytedeco.pytorch.Tensor handle() {
        if (handle.isNull())
            throw new IllegalStateException(
                    "this tensor's scope is closed: move it out or adopt it before the scope ends");
        return handle;
    }

    // ---- making

    /** @param shape product equal to the number of values */
    public static Tensor of(float[] values, long... shape) {
        org.bytedeco.pytorch.Tensor made = empty(DType.FLOAT32, values.length, shape);
        if (values.length > 0) {
            try (FloatPointer data = made.data_ptr_float()) {
                data.put(values, 0, values.length);
            }
        }
        return of(made);
    }

    public static Tensor of(double[] values, long... shape) {
        org.bytedeco.pytorch.Tensor made = empty(DType.FLOAT64, values.length, shape);
        if (values.length > 0) {
            try (DoublePointer data = made.data_ptr_double()) {
                data.put(values, 0, values.length);
            }
        }
        return of(made);
    }

    public static Tensor of(long[] values, long... shape) {
        org.bytedeco.pytorch.Tensor made = empty(DType.INT64, values.length, shape);
        if (values.length > 0) {
            try (LongPointer data = made.data_ptr_long()) {
                data.put(values, 0, values.length);
            }
        }
        return of(made);
    }

    /** Class indices and the like: INT64 from ints. */
    public static Tensor of(int[] values, long... shape) {
        return of(Arrays.stream(values).asLongStream().toArray(), shape);
    }

    /** Unsigned bytes. */
    public static Tensor of(byte[] values, long... shape) {
        return ofBytes(DType.UINT8, values, shape);
    }

    /**
     * From the elements' bytes in this machine's order (little-endian on all platforms of the house).
     *
     * @param bytes as many as the shape's elements need
     */
    public static Tensor ofBytes(DType type, byte[] bytes, long... shape) {
        org.bytedeco.pytorch.Tensor made = empty(type, bytes.length / type.bytes(), shape);
        if (made.nbytes() != bytes.length) {
            throw new IllegalArgumentException(bytes.length + " bytes do not fill " + type + Arrays.toString(shape));
        }
        if (bytes.length > 0) {
            try (BytePointer data = new BytePointer(made.data_ptr())) {
                data.put(bytes, 0, bytes.length);
            }
        }
        return of(made);
    }

    /**
     * As {@link #ofBytes}, from memory outside the heap: a mapped file, of any size.
     *
     * @param bytes as many as the shape's elements need; copied
     */
    public static Tensor ofMemory(DType type, MemorySegment bytes, long... shape) {
        org.bytedeco.pytorch.Tensor made = empty(type, bytes.byteSize() / type.bytes(), shape);
        if (made.nbytes() != bytes.byteSize()) {
            throw new IllegalArgumentException(
                    bytes.byteSize() + " bytes do not fill " + type + Arrays.toString(shape));
        }
        elements(made).copyFrom(bytes);
        return of(made);
    }

    /** Whatever the memory held before: for a tensor that is written before it is read. Pages that are never written take no memory. */
    public static Tensor uninitialised(DType type, long... shape) {
        return of(torch.empty(shape, options(type), new MemoryFormatOptional()));
    }

    /** One after the other along a dimension, in which alone they may differ. */
    public static Tensor concatenate(List<Tensor> tensors, long dimension) {
        TensorScope.requireOpen();
        return of(torch.cat(
                new TensorVector(tensors.stream().map(Tensor::handle).toArray(org.bytedeco.pytorch.Tensor[]::new)),
                dimension));
    }

    public static Tensor scalar(double value) {
        return of(new float[] {(float) value});
    }

    public static Tensor zeros(DType type, long... shape) {
        return of(torch.zeros(shape, options(type)));
    }

    /** As {@link #zeros}, of another tensor's type, shape and layout. */
    public static Tensor zerosLike(Tensor other) {
        return of(torch.zeros_like(other.handle()));
    }

    public static Tensor full(float value, long... shape) {
        return of(torch.full(shape, new Scalar(value), options(DType.FLOAT32)));
    }

    /** 0, 1 … count − 1, INT64. */
    public static Tensor range(long count) {
        return of(torch.arange(new Scalar(count), options(DType.INT64)));
    }

    /** Normally distributed, FLOAT32, from the process's {@link RandomState}. */
    public static Tensor normal(double mean, double deviation, long... shape) {
        return of(torch.empty(shape, options(DType.FLOAT32), new MemoryFormatOptional())
                .normal_(mean, deviation, new GeneratorOptional()));
    }

    /** Uniform in [low, high), FLOAT32, from the process's {@link RandomState}. */
    public static Tensor uniform(double low, double high, long... shape) {
        return of(torch.empty(shape, options(DType.FLOAT32), new MemoryFormatOptional())
                .uniform_(low, high, new GeneratorOptional()));
    }

    private static org.bytedeco.pytorch.Tensor empty(DType type, long values, long[] shape) {
        long elements = 1;
        for (long size : shape) elements = Math.multiplyExact(elements, size);
        if (elements != values) {
            throw new IllegalArgumentException(values + " values do not fill the shape " + Arrays.toString(shape));
        }
        return torch.empty(shape, options(type), new MemoryFormatOptional());
    }

    private static TensorOptions options(DType type) {
        TensorScope.requireOpen();
        return new TensorOptions(type.handle());
    }

    // ---- looking

    public long[] shape() {
        org.bytedeco.pytorch.Tensor open = handle();
        long[] shape = new long[(int) open.dim()];
        for (int i = 0; i < shape.length; i++) shape[i] = open.size(i);
        return shape;
    }

    /** How many dimensions: 0 for a scalar. */
    public int dimensions() {
        return (int) handle().dim();
    }

    /** @param dimension negative counts from the last */
    public long size(int dimension) {
        return handle().size(dimension);
    }

    public long elements() {
        return handle().numel();
    }

    public DType dtype() {
        return DType.of(handle().scalar_type());
    }

    /** The only element, as a double. */
    public double item() {
        return handle().item_double();
    }

    /** All elements in row-major order; from any element type. */
    public float[] toFloats() {
        org.bytedeco.pytorch.Tensor dense = dense(DType.FLOAT32);
        float[] values = new float[Math.toIntExact(dense.numel())];
        if (values.length > 0) {
            try (FloatPointer data = dense.data_ptr_float()) {
                data.get(values, 0, values.length);
            }
        }
        return values;
    }

    /** All elements in row-major order, converted to INT64. */
    public long[] toLongs() {
        org.bytedeco.pytorch.Tensor dense = dense(DType.INT64);
        long[] values = new long[Math.toIntExact(dense.numel())];
        if (values.length > 0) {
            try (LongPointer data = dense.data_ptr_long()) {
                data.get(values, 0, values.length);
            }
        }
        return values;
    }

    /** All elements' bytes in row-major order, each in this machine's byte order. */
    public byte[] toBytes() {
        org.bytedeco.pytorch.Tensor dense = dense(dtype());
        byte[] bytes = new byte[Math.toIntExact(dense.nbytes())];
        if (bytes.length > 0) {
            try (BytePointer data = new BytePointer(dense.data_ptr())) {
                data.get(bytes, 0, bytes.length);
            }
        }
        return bytes;
    }

    /**
     * Writes all elements' bytes in row-major order, each in this machine's byte order.
     *
     * @param target as long as the elements' bytes, outside the heap or in it
     */
    public void copyTo(MemorySegment target) {
        org.bytedeco.pytorch.Tensor dense = dense(dtype());
        if (dense.nbytes() != target.byteSize()) {
            throw new IllegalArgumentException(dense.nbytes() + " bytes do not fill " + target.byteSize());
        }
        target.copyFrom(elements(dense));
    }

    /** The memory of a dense tensor's elements, valid as long as the tensor. */
    private static MemorySegment elements(org.bytedeco.pytorch.Tensor dense) {
        try (BytePointer data = new BytePointer(dense.data_ptr())) {
            return MemorySegment.ofAddress(data.address()).reinterpret(dense.nbytes());
        }
    }

    private org.bytedeco.pytorch.Tensor dense(DType type) {
        TensorScope.requireOpen();
        org.bytedeco.pytorch.Tensor same = handle().detach();
        return same.to(type.handle()).contiguous();
    }

    /** Equal shape, type and elements. */
    public boolean sameAs(Tensor other) {
        return dtype() == other.dtype() && handle().equal(other.handle());
    }

    // ---- shaping

    /** The same elements in another shape; −1 once: whatever is left. */
    public Tensor reshape(long... shape) {
        return of(handle().reshape(shape));
    }

    public Tensor transpose(int first, int second) {
        return of(handle().transpose(first, second));
    }

    /** A view of {@code length} entries of a dimension, from {@code start} on. */
    public Tensor narrow(int dimension, long start, long length) {
        return of(handle().narrow(dimension, start, length));
    }

    /** Rows (entries of the first dimension) by INT64 index: a gather into dense memory. */
    public Tensor rows(Tensor indices) {
        return of(handle().index_select(0, indices.handle()));
    }

    /** All dimensions in another order. */
    public Tensor permute(long... dimensions) {
        return of(handle().permute(dimensions));
    }

    /** Repeats dimensions of size 1 up to the shape, without memory of their own; −1: as it is. */
    public Tensor expand(long... shape) {
        return of(handle().expand(shape));
    }

    /** Moves entries of a dimension towards its end; what leaves it there comes in again at its start. */
    public Tensor roll(long places, long dimension) {
        return of(handle().roll(new long[] {places}, dimension));
    }

    /** The same elements, of which gradients know nothing. */
    public Tensor detach() {
        return of(handle().detach());
    }

    /** Mirrored along a dimension. */
    public Tensor flip(long dimension) {
        return of(handle().flip(dimension));
    }

    /** Converted to another element type; itself if it has it. */
    public Tensor to(DType type) {
        return of(handle().to(type.handle()));
    }

    /**
     * The same [B, C, H, W] values laid out with channels innermost, as oneDNN's convolutions and batch normalisation want them: set it on weights
     * and inputs once, results keep it.
     */
    public Tensor channelsLast() {
        // not contiguous(…): with one channel it finds the tensor laid out already and leaves strides from which a
        // convolution chooses the other layout
        org.bytedeco.pytorch.Tensor same = handle();
        return of(same.to(same.scalar_type(), false, false, new MemoryFormatOptional(torch.MemoryFormat.ChannelsLast)));
    }

    public Tensor copy() {
        return of(handle().clone());
    }

    // ---- arithmetic, element by element, shapes broadcast

    public Tensor add(Tensor other) {
        return of(handle().add(other.handle()));
    }

    public Tensor add(double value) {
        return of(handle().add(new Scalar(value)));
    }

    public Tensor subtract(Tensor other) {
        return of(handle().sub(other.handle()));
    }

    public Tensor multiply(Tensor other) {
        return of(handle().mul(other.handle()));
    }

    public Tensor multiply(double factor) {
        return of(handle().mul(new Scalar(factor)));
    }

    public Tensor divide(Tensor other) {
        return of(handle().div(other.handle()));
    }

    public Tensor square() {
        return of(handle().square());
    }

    public Tensor cos() {
        return of(handle().cos());
    }

    public Tensor sin() {
        return of(handle().sin());
    }

    public Tensor sqrt() {
        return of(handle().sqrt());
    }

    /** Not below {@code least}. */
    public Tensor atLeast(double least) {
        return of(handle().clamp_min(new Scalar(least)));
    }

    /** Sum of all elements, [ ]. */
    public Tensor sum() {
        return of(handle().sum());
    }

    /** Sums over a dimension, kept with size 1. */
    public Tensor sum(int dimension) {
        return of(handle().sum(new long[] {dimension}, true, new ScalarTypeOptional()));
    }

    /** Mean of all elements, [ ]. */
    public Tensor mean() {
        return of(handle().mean());
    }

    /** Means over dimensions, which go away. */
    public Tensor mean(long... dimensions) {
        return of(handle().mean(dimensions, false, new ScalarTypeOptional()));
    }

    /** Index of the greatest element along a dimension, which goes away; INT64. */
    public Tensor argmax(int dimension) {
        return of(handle().argmax(new LongOptional(dimension), false));
    }

    /** Whether no element is infinite or not a number. */
    public boolean isFinite() {
        TensorScope.requireOpen();
        return handle().isfinite().all().item_bool();
    }

    /** Matrix product of the last two dimensions. */
    public Tensor matmul(Tensor other) {
        return of(handle().matmul(other.handle()));
    }

    // ---- networks

    /**
     * Cross-correlation of images with kernels (what deep learning calls convolution), without bias.
     *
     * @param weightOCKK kernels, [out channels, in channels, height, width]
     * @param stride step in both directions
     * @param padding zeros on all four sides
     */
    public Tensor convolve(Tensor weightOCKK, long stride, long padding) {
        return of(torch.conv2d(
                handle(),
                weightOCKK.handle(),
                new TensorOptional(),
                new long[] {stride, stride},
                new long[] {padding, padding},
                new long[] {1, 1},
                1));
    }

    /**
     * Normalises each channel of [B, C, …] (Ioffe and Szegedy 2015, arXiv 1502.03167): by the batch's mean and variance in training, which also move the
     * running ones, else by the running ones.
     *
     * @param weightC scale
     * @param biasC shift
     * @param runningMeanC changed in training
     * @param runningVarianceC changed in training (unbiased)
     * @param momentum weight of this batch in the running figures
     * @param epsilon added to the variance
     */
    public Tensor batchNorm(
            Tensor weightC,
            Tensor biasC,
            Tensor runningMeanC,
            Tensor runningVarianceC,
            boolean training,
            double momentum,
            double epsilon) {
        return of(torch.batch_norm(
                handle(),
                new TensorOptional(weightC.handle()),
                new TensorOptional(biasC.handle()),
                new TensorOptional(runningMeanC.handle()),
                new TensorOptional(runningVarianceC.handle()),
                training,
                momentum,
                epsilon,
                true));
    }

    public Tensor relu() {
        return of(handle().relu());
    }

    /** {@link #relu} that overwrites this tensor: for a result that nothing else reads. */
    public Tensor reluInPlace() {
        handle().relu_();
        return this;
    }

    /**
     * {@code this · weightᵀ + bias} over the last dimension.
     *
     * @param weightOI [out, in]
     */
    public Tensor linear(Tensor weightOI, @Nullable Tensor biasO) {
        return of(torch.linear(
                handle(),
                weightOI.handle(),
                biasO == null ? new TensorOptional() : new TensorOptional(biasO.handle())));
    }

    /**
     * Rows of this table [V, E], in the shape of the indices.
     *
     * @param indices INT64, 0 to V − 1, of any shape […]
     * @return […, E]
     */
    public Tensor embed(Tensor indices) {
        return of(torch.embedding(handle(), indices.handle()));
    }

    /** {@code x · sigmoid(x)} (Hendrycks and Gimpel 2016, arXiv 1606.08415; there SiLU). */
    public Tensor silu() {
        return of(torch.silu(handle()));
    }

    /** {@code x · Φ(x)} in its approximation by tanh (arXiv 1606.08415, section 2), as GPT-2 has it. */
    public Tensor geluTanh() {
        return of(torch.gelu(handle(), "tanh"));
    }

    /**
     * Normalises over the last dimension to mean 0 and variance 1 (Ba et al. 2016, arXiv 1607.06450), then scales and shifts.
     *
     * @param epsilon added to the variance
     */
    public Tensor layerNorm(Tensor weightE, Tensor biasE, double epsilon) {
        return of(torch.layer_norm(
                handle(),
                weightE.shape(),
                new TensorOptional(weightE.handle()),
                new TensorOptional(biasE.handle()),
                epsilon,
                true));
    }

    /**
     * Divides by the root mean square over the last dimension (Zhang and Sennrich 2019, arXiv 1910.07467), then scales.
     *
     * @param epsilon added to the mean square
     */
    public Tensor rmsNorm(Tensor weightE, double epsilon) {
        return of(torch.rms_norm(
                handle(), weightE.shape(), new TensorOptional(weightE.handle()), new DoubleOptional(epsilon)));
    }

    /**
     * {@code softmax(Q Kᵀ / √D + mask) V} (Vaswani et al. 2017, arXiv 1706.03762, equation 1) without the scores ever in memory as a whole, where
     * libtorch has a kernel for it. For FLOAT32: in bfloat16 on a CPU it is 27 times slower than its parts (our measurement, PyTorch 2.10).
     *
     * @param keysBGSD G heads that divide this tensor's H [B, H, T, D]: a head of keys serves H / G heads of queries
     * @param maskTS added to the scores, broadcast; null: none
     * @param causal whether query t sees keys 0 to t only; then no mask
     * @param dropout share of the weights hidden
     */
    public Tensor attention(
            Tensor keysBGSD, Tensor valuesBGSD, @Nullable Tensor maskTS, boolean causal, double dropout) {
        return of(torch.scaled_dot_product_attention(
                handle(),
                keysBGSD.handle(),
                valuesBGSD.handle(),
                maskTS == null ? new TensorOptional() : new TensorOptional(maskTS.handle()),
                dropout,
                causal,
                new DoubleOptional(),
                keysBGSD.handle().size(1) != handle().size(1)));
    }

    /** In training: each element becomes 0 with the given probability, the others grow so that the expectation stays. */
    public Tensor dropout(double probability, boolean training) {
        return of(torch.dropout(handle(), probability, training));
    }

    public Tensor softmax(int dimension) {
        return of(handle().softmax(dimension));
    }

    public Tensor logSoftmax(int dimension) {
        return of(handle().log_softmax(dimension));
    }

    /**
     * Mean cross entropy of logits [B, K] against classes.
     *
     * @param classesB INT64, [B], 0 to K − 1
     * @param labelSmoothing share of the probability spread over all classes (Szegedy et al. 2016, arXiv 1512.00567, section 7), 0 for none
     * @return [ ], in nats
     */
    public Tensor crossEntropy(Tensor classesB, double labelSmoothing) {
        // 1: mean; −100: libtorch's index for "no class", never used here
        return of(torch.cross_entropy_loss(handle(), classesB.handle(), new TensorOptional(), 1, -100, labelSmoothing));
    }

    /** As {@link #crossEntropy} without smoothing, of each row: [B]. */
    public Tensor crossEntropies(Tensor classesB) {
        return of(torch.cross_entropy_loss(
                handle(), classesB.handle(), new TensorOptional(), 0, -100, 0)); // 0: no reduction
    }

    // ---- gradients

    /** Makes this tensor a parameter: {@link #backward} of what is computed from it fills {@link #gradient}. */
    public Tensor requireGradient() {
        handle().set_requires_grad(true);
        return this;
    }

    /** Makes a parameter a plain tensor again. */
    public Tensor forgoGradient() {
        clearGradient();
        handle().set_requires_grad(false);
        return this;
    }

    /** Computes the gradients of this scalar for every parameter behind it and adds them to what {@link #gradient} holds. */
    public void backward() {
        TensorScope.requireOpen();
        handle().backward();
    }

    /** What {@link #backward} has left; empty before it, and for a parameter that the scalar doesn't depend on. */
    public Optional<Tensor> gradient() {
        org.bytedeco.pytorch.Tensor gradient = handle().grad();
        if (!gradient.defined()) return Optional.empty();
        // libtorch returns a reference to the parameter's slot: a handle of its own survives clearGradient
        return Optional.of(of(new org.bytedeco.pytorch.Tensor(gradient)));
    }

    /** Drops the gradient, so that the next {@link #backward} starts from none. Cheaper than zeros: its buffer is taken over, nothing is added. */
    public void clearGradient() {
        TensorScope.requireOpen();
        handle().mutable_grad().reset();
    }

    // ---- changing; a parameter only inside TensorScope.openWithoutGradients()

    /** Overwrites the elements with another tensor's, broadcast. */
    public Tensor copyInPlace(Tensor source) {
        handle().copy_(source.handle());
        return this;
    }

    public Tensor fillInPlace(double value) {
        TensorScope.requireOpen();
        handle().fill_(new Scalar(value));
        return this;
    }

    /** Overwrites rows (entries of the first dimension). */
    public Tensor putRowsInPlace(Tensor indices, Tensor rows) {
        TensorScope.requireOpen();
        handle().index_copy_(0, indices.handle(), rows.handle());
        return this;
    }

    /** Adds {@code factor · other}. */
    public Tensor addInPlace(Tensor other, double factor) {
        TensorScope.requireOpen();
        handle().add_(other.handle(), new Scalar(factor));
        return this;
    }

    public Tensor multiplyInPlace(double factor) {
        TensorScope.requireOpen();
        handle().mul_(new Scalar(factor));
        return this;
    }

    /** Sets the diagonal of a square matrix. */
    public Tensor fillDiagonalInPlace(double value) {
        TensorScope.requireOpen();
        handle().fill_diagonal_(new Scalar(value));
        return this;
    }

    @Override
    public String toString() {
        return handle.isNull() ? "Tensor(closed)" : "Tensor(" + dtype() + Arrays.toString(shape()) + ")";
    }
}
