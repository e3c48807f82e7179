package io.guimo.model;

import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * A part of a network: parameters (trained), buffers (kept, not trained) and parts of its own, each under a name. Owns the native memory of its
 * parameters until it is closed; a part from a constructor is in training mode.
 *
 * <p>Used on the threads of a {@link io.guimo.tensor.TorchExecutor} inside an open scope; {@link #close} on any thread.
 */
public abstract class Part implements AutoCloseable {
    private final TensorScope memory = TensorScope.owner();
    private final Map<String, Tensor> ownParameters = new LinkedHashMap<>();
    private final Map<String, Tensor> ownBuffers = new LinkedHashMap<>();
    private final Map<String, Tensor> ownFrozen = new LinkedHashMap<>();
    private final Map<String, Part> parts = new LinkedHashMap<>();
    private boolean training = true;

    /** All parameters, those of parts under {@code part.name}, in the order in which the constructors named them. */
    public final Map<String, Tensor> parameters() {
        Map<String, Tensor> all = new LinkedHashMap<>(ownParameters);
        parts.forEach(
                (name, part) -> part.parameters().forEach((inner, tensor) -> all.put(name + "." + inner, tensor)));
        return all;
    }

    /** All buffers, named like {@link #parameters}. */
    public final Map<String, Tensor> buffers() {
        Map<String, Tensor> all = new LinkedHashMap<>(ownBuffers);
        parts.forEach((name, part) -> part.buffers().forEach((inner, tensor) -> all.put(name + "." + inner, tensor)));
        return all;
    }

    /** Parameters that are frozen, named like {@link #parameters}. */
    public final Map<String, Tensor> frozen() {
        Map<String, Tensor> all = new LinkedHashMap<>(ownFrozen);
        parts.forEach((name, part) -> part.frozen().forEach((inner, tensor) -> all.put(name + "." + inner, tensor)));
        return all;
    }

    /**
     * Fixes parameters: they are trained no more and leave {@link #parameters} and {@link #state}, so that optimiser and checkpoints hold what changes
     * only. What was frozen before stays so.
     *
     * @param names which, by their names as of this part
     */
    public final void freeze(Predicate<String> names) {
        ownParameters.entrySet().removeIf(entry -> {
            if (!names.test(entry.getKey())) return false;
            ownFrozen.put(entry.getKey(), entry.getValue().forgoGradient());
            return true;
        });
        parts.forEach((name, part) -> part.freeze(inner -> names.test(name + "." + inner)));
    }

    /** Has every frozen parameter trained again. Those come after the others in {@link #parameters}. */
    public final void unfreeze() {
        ownFrozen.forEach((name, tensor) -> ownParameters.put(name, tensor.requireGradient()));
        ownFrozen.clear();
        parts.values().forEach(Part::unfreeze);
    }

    /** This part's parts and theirs, under dotted names. */
    public final Map<String, Part> allParts() {
        Map<String, Part> all = new LinkedHashMap<>();
        parts.forEach((name, part) -> {
            all.put(name, part);
            part.allParts().forEach((inner, deeper) -> all.put(name + "." + inner, deeper));
        });
        return all;
    }

    /** Parameters and buffers: all that training changes; with what is {@link #frozen}, all that repeats the network. */
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
        parts.values().forEach(Part::close);
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
    protected final <P extends Part> P part(String name, P part) {
        parts.put(unused(name), part);
        return part;
    }

    /** Frees a part. */
    protected final void removePart(String name) {
        Part removed = parts.remove(name);
        if (removed != null) removed.close();
    }

    private String unused(String name) {
        if (name.isEmpty() || name.contains("."))
            throw new IllegalArgumentException("a name of a parameter has no dots and is not empty: " + name);
        if (ownParameters.containsKey(name)
                || ownFrozen.containsKey(name)
                || ownBuffers.containsKey(name)
                || parts.containsKey(name)) {
            throw new IllegalArgumentException("the name " + name + " is taken");
        }
        return name;
    }

    private void setTraining(boolean on) {
        training = on;
        parts.values().forEach(part -> part.setTraining(on));
    }
}
