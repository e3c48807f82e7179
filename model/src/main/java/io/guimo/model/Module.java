package io.guimo.model;

import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A network or a part of one: parameters (trained), buffers (kept, not trained) and parts, each under a name. Owns the native memory of its
 * parameters until it is closed; a network from a constructor is in training mode.
 *
 * <p>Used on the threads of a {@link io.guimo.tensor.TorchExecutor} inside an open scope; {@link #close} on any thread.
 */
public abstract class Module implements AutoCloseable {
    private final TensorScope memory = TensorScope.owner();
    private final Map<String, Tensor> ownParameters = new LinkedHashMap<>();
    private final Map<String, Tensor> ownBuffers = new LinkedHashMap<>();
    private final Map<String, Module> parts = new LinkedHashMap<>();
    private boolean training = true;

    /** Computes the answer to a batch; shapes as the network says. */
    public abstract Tensor forward(Tensor input);

    /** All parameters, those of parts under {@code part.name}, in the order in which the constructors named them. */
    public final Map<String, Tensor> parameters() {
        Map<String, Tensor> all = new LinkedHashMap<>(ownParameters);
        parts.forEach(
                (part, module) -> module.parameters().forEach((name, tensor) -> all.put(part + "." + name, tensor)));
        return all;
    }

    /** All buffers, named like {@link #parameters}. */
    public final Map<String, Tensor> buffers() {
        Map<String, Tensor> all = new LinkedHashMap<>(ownBuffers);
        parts.forEach((part, module) -> module.buffers().forEach((name, tensor) -> all.put(part + "." + name, tensor)));
        return all;
    }

    /** Parameters and buffers: all that a file must hold to repeat the network. */
    public final Map<String, Tensor> state() {
        Map<String, Tensor> all = parameters();
        all.putAll(buffers());
        return all;
    }

    /**
     * Overwrites parameters and buffers.
     *
     * @param state exactly the names and shapes of {@link #state}
     * @throws IllegalArgumentException naming what is missing, unknown or of another shape
     */
    public final void load(Map<String, Tensor> state) {
        Map<String, Tensor> own = state();
        Set<String> missing = new TreeSet<>(own.keySet());
        missing.removeAll(state.keySet());
        Set<String> unknown = new TreeSet<>(state.keySet());
        unknown.removeAll(own.keySet());
        if (!missing.isEmpty() || !unknown.isEmpty()) {
            throw new IllegalArgumentException(
                    "these weights belong to another network: missing " + missing + ", unknown " + unknown);
        }
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            own.forEach((name, tensor) -> {
                Tensor source = state.get(name);
                if (source == null || !Arrays.equals(source.shape(), tensor.shape())) {
                    throw new IllegalArgumentException(name + " is " + source + ", the network has " + tensor);
                }
                tensor.copyInPlace(source);
            });
        }
    }

    /** How many numbers are trained. */
    public final long parameterCount() {
        return parameters().values().stream().mapToLong(Tensor::elements).sum();
    }

    /** Switches dropout and batch statistics on. */
    public final void train() {
        setTraining(true);
    }

    /** Switches dropout and batch statistics off. */
    public final void evaluate() {
        setTraining(false);
    }

    public final boolean training() {
        return training;
    }

    /** Frees the parameters. */
    @Override
    public final void close() {
        parts.values().forEach(Module::close);
        memory.close();
    }

    /** Takes over a tensor as a parameter. */
    protected final Tensor parameter(String name, Tensor initial) {
        ownParameters.put(unused(name), memory.adopt(initial).requireGradient());
        return initial;
    }

    /** Takes over a tensor as a buffer. */
    protected final Tensor buffer(String name, Tensor initial) {
        ownBuffers.put(unused(name), memory.adopt(initial));
        return initial;
    }

    /** Takes over a tensor that the constructor alone determines: neither trained nor stored. */
    protected final Tensor constant(Tensor tensor) {
        return memory.adopt(tensor);
    }

    /** Takes over a part. */
    protected final <M extends Module> M part(String name, M module) {
        parts.put(unused(name), module);
        return module;
    }

    private String unused(String name) {
        if (name.isEmpty() || name.contains("."))
            throw new IllegalArgumentException("a name of a parameter has no dots and is not empty: " + name);
        if (ownParameters.containsKey(name) || ownBuffers.containsKey(name) || parts.containsKey(name)) {
            throw new IllegalArgumentException("the name " + name + " is taken");
        }
        return name;
    }

    private void setTraining(boolean on) {
        training = on;
        parts.values().forEach(part -> part.setTraining(on));
    }
}
