package io.guimo.train;

import io.guimo.tensor.ParameterKernels;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns gradients into a step of the parameters. Matrices and kernels decay, vectors (biases, normalisation) don't: shrinking those only distorts what the
 * data says (the custom since He et al. 2018, arXiv 1812.01187, section 3.1).
 */
sealed interface UpdateRule extends AutoCloseable {
    /**
     * @param gradients of the parameters, in their order
     * @param step how many steps with this one, from 1 on
     */
    void step(List<Tensor> gradients, double learningRate, long step);

    /** What the next steps depend on, by name; the tensors themselves, not copies. */
    Map<String, Tensor> state();

    @Override
    void close();

    /** A rule for a network, without history. */
    static UpdateRule of(TrainSettings settings, Map<String, Tensor> parameters) {
        return switch (settings.optimizer()) {
            case ADAMW -> new AdamW(parameters, settings.weightDecay());
            case SGD -> new Momentum(parameters, settings.weightDecay(), settings.momentum());
        };
    }

    /** Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2. */
    final class AdamW implements UpdateRule {
        private static final double BETA1 = .9; // the paper's and every library's defaults
        private static final double BETA2 = .999;
        private static final double EPSILON = 1e-8;

        private final TensorScope memory = TensorScope.owner();
        private final double weightDecay;
        private final Map<String, Tensor> parameters;
        private final Map<String, Tensor> firstMoments;
        private final Map<String, Tensor> secondMoments;
        private final Tensor stepsDone;

        AdamW(Map<String, Tensor> parameters, double weightDecay) {
            this.parameters = parameters;
            this.weightDecay = weightDecay;
            firstMoments = zerosLike(parameters, memory);
            secondMoments = zerosLike(parameters, memory);
            stepsDone = memory.adopt(Tensor.scalar(0));
        }

        @Override
        public void step(List<Tensor> gradients, double learningRate, long step) {
            stepsDone.fillInPlace((double) step); // exact in float32 up to 16 million
            for (boolean decays : new boolean[] {true, false}) {
                List<Tensor> group = select(parameters.values(), decays);
                if (group.isEmpty()) continue;
                ParameterKernels.adamW(
                        group,
                        select(gradients, decays),
                        select(firstMoments.values(), decays),
                        select(secondMoments.values(), decays),
                        stepsDone,
                        learningRate,
                        BETA1,
                        BETA2,
                        decays ? weightDecay : 0,
                        EPSILON);
            }
        }

        @Override
        public Map<String, Tensor> state() {
            Map<String, Tensor> state = new LinkedHashMap<>();
            firstMoments.forEach((name, moment) -> state.put("first." + name, moment));
            secondMoments.forEach((name, moment) -> state.put("second." + name, moment));
            return state;
        }

        @Override
        public void close() {
            memory.close();
        }
    }

    /**
     * Stochastic gradient descent with momentum (Sutskever et al. 2013, equations 1 and 2, in libtorch's form: v ← μ v + g, θ ← θ − η v) and weight
     * decay decoupled from the gradient (Loshchilov and Hutter 2019, algorithm 1).
     */
    final class Momentum implements UpdateRule {
        private final TensorScope memory = TensorScope.owner();
        private final double weightDecay;
        private final double momentum;
        private final Map<String, Tensor> parameters;
        private final Map<String, Tensor> velocities;

        Momentum(Map<String, Tensor> parameters, double weightDecay, double momentum) {
            this.parameters = parameters;
            this.weightDecay = weightDecay;
            this.momentum = momentum;
            velocities = zerosLike(parameters, memory);
        }

        @Override
        public void step(List<Tensor> gradients, double learningRate, long step) {
            List<Tensor> all = List.copyOf(parameters.values());
            List<Tensor> velocity = List.copyOf(velocities.values());
            List<Tensor> decaying = select(all, true);
            if (weightDecay > 0 && !decaying.isEmpty()) {
                ParameterKernels.multiplyInPlace(decaying, 1 - learningRate * weightDecay);
            }
            ParameterKernels.multiplyInPlace(velocity, momentum);
            ParameterKernels.addInPlace(velocity, gradients, 1);
            ParameterKernels.addInPlace(all, velocity, -learningRate);
        }

        @Override
        public Map<String, Tensor> state() {
            Map<String, Tensor> state = new LinkedHashMap<>();
            velocities.forEach((name, velocity) -> state.put("velocity." + name, velocity));
            return state;
        }

        @Override
        public void close() {
            memory.close();
        }
    }

    private static Map<String, Tensor> zerosLike(Map<String, Tensor> parameters, TensorScope memory) {
        Map<String, Tensor> zeros = new LinkedHashMap<>();
        parameters.forEach((name, parameter) -> zeros.put(name, memory.adopt(Tensor.zerosLike(parameter))));
        return zeros;
    }

    /** Those of a list in the order of parameters that decay, or those that don't: a gradient and a moment have their parameter's shape. */
    private static List<Tensor> select(Iterable<Tensor> tensors, boolean decaying) {
        List<Tensor> selected = new ArrayList<>();
        for (Tensor tensor : tensors) if (tensor.dimensions() > 1 == decaying) selected.add(tensor);
        return selected;
    }
}
