package io.guimo.tensor;

import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.TensorList;
import org.bytedeco.pytorch.TensorVector;

/**
 * Operations over all parameters of a network in one native call each, where a loop over operations would cost more in calls than in
 * arithmetic (AdamW alone: 10 calls a parameter). libtorch offers them ("fused" and "foreach" kernels) behind its dispatcher only.
 *
 * <p>Lists are FLOAT32 and in the same order of parameters. Nothing records a graph: call inside {@link TensorScope#openWithoutGradients()}.
 */
public final class ParameterKernels {
    private ParameterKernels() {}

    /**
     * One step of AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2): changes parameters and both moments.
     *
     * @param stepsDone [ ], how many steps with this one, from 1 on
     * @param weightDecay decoupled: parameters shrink by {@code learningRate · weightDecay} first
     */
    public static void adamW(
            List<Tensor> parameters,
            List<Tensor> gradients,
            List<Tensor> firstMoments,
            List<Tensor> secondMoments,
            Tensor stepsDone,
            double learningRate,
            double beta1,
            double beta2,
            double weightDecay,
            double epsilon) {
        call(
                "aten::_fused_adamw_",
                "",
                list(parameters),
                list(gradients),
                list(firstMoments),
                list(secondMoments),
                list(List.of()), // greatest second moments: of AMSGrad only
                list(parameters.stream().map(parameter -> stepsDone).toList()),
                new IValue(learningRate),
                new IValue(beta1),
                new IValue(beta2),
                new IValue(weightDecay),
                new IValue(epsilon),
                new IValue(false), // AMSGrad
                new IValue(false), // maximise
                new IValue(), // scale of mixed precision
                new IValue()); // and its overflow flag
    }

    /** Euclidean norm of all elements of all tensors together. */
    public static double norm(List<Tensor> tensors) {
        IValue norms = call("aten::_foreach_norm", "Scalar", list(tensors), new IValue(new Scalar(2.0)), new IValue());
        return org.bytedeco
                .pytorch
                .global
                .torch
                .linalg_vector_norm(org.bytedeco.pytorch.global.torch.stack(norms.toTensorVector()))
                .item_double();
    }

    /** Multiplies each tensor by the factor. */
    public static void multiplyInPlace(List<Tensor> tensors, double factor) {
        call("aten::_foreach_mul_", "Scalar", list(tensors), new IValue(new Scalar(factor)));
    }

    /** Adds {@code factor ·} source to each target. */
    public static void addInPlace(List<Tensor> targets, List<Tensor> sources, double factor) {
        call("aten::_foreach_add_", "List", list(targets), list(sources), new IValue(new Scalar(factor)));
    }

    private static IValue call(String operator, String overload, IValue... arguments) {
        TensorScope.requireOpen();
        IValueVector stack = new IValueVector(arguments);
        Dispatcher.singleton().findSchemaOrThrow(operator, overload).callBoxed(stack);
        return stack.empty() ? new IValue() : stack.get(0);
    }

    private static IValue list(List<Tensor> tensors) {
        org.bytedeco.pytorch.Tensor[] handles =
                tensors.stream().map(Tensor::handle).toArray(org.bytedeco.pytorch.Tensor[]::new);
        // IValue takes a generic list only; a list of tensors is one at run time (c10::List<T> is a typed face of the
        // same object)
        return new IValue(new GenericList((Pointer) new TensorList(new TensorVector(handles))));
    }
}
