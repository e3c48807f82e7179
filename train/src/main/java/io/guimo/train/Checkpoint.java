package io.guimo.train;

import io.guimo.model.Module;
import io.guimo.model.Safetensors;
import io.guimo.tensor.RandomState;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * All that the rest of a run depends on, in one file: weights, the best weights so far, the update rule's history, libtorch's random state and the
 * position. In one file, so that no crash can leave parts of two moments.
 */
final class Checkpoint {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String WEIGHTS = "weights.";
    private static final String BEST = "best.";
    private static final String RULE = "rule.";
    private static final String RANDOM = "random";
    private static final String POSITION =
            "position"; // as bytes among the tensors: the format's metadata is bounded more tightly

    /**
     * Where a run is, between two steps.
     *
     * @param epoch epochs done
     * @param stepInEpoch steps done of the next
     * @param step steps done since the run began
     * @param lossSum of this epoch's steps
     * @param bestEpoch of the best weights, 0 if none yet
     * @param bestMetrics of the best weights
     * @param epochsWithoutImprovement in a row
     * @param curve so far
     * @param seconds spent, over all parts
     * @param cpuSeconds of this process meanwhile
     * @param peakMemoryBytes greatest resident memory of any part
     */
    record Position(
            int epoch,
            int stepInEpoch,
            long step,
            double lossSum,
            int bestEpoch,
            Map<String, Double> bestMetrics,
            int epochsWithoutImprovement,
            List<CurvePoint> curve,
            double seconds,
            double cpuSeconds,
            long peakMemoryBytes) {
        static final Position START = new Position(0, 0, 0, 0, 0, Map.of(), 0, List.of(), 0, 0, 0);
    }

    private Checkpoint() {}

    static void write(Path file, Module network, Map<String, Tensor> best, UpdateRule rule, Position position) {
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            network.state().forEach((name, tensor) -> tensors.put(WEIGHTS + name, tensor));
            best.forEach((name, tensor) -> tensors.put(BEST + name, tensor));
            rule.state().forEach((name, tensor) -> tensors.put(RULE + name, tensor));
            tensors.put(RANDOM, RandomState.save());
            byte[] where = JSON.writeValueAsBytes(position);
            tensors.put(POSITION, Tensor.of(where, where.length));
            Safetensors.write(file, tensors, Map.of("format", Integer.toString(RunRecord.FORMAT)));
        }
    }

    /**
     * Puts a network, an update rule, the best weights and libtorch's random state back to where they were.
     *
     * @param best tensors like the network's state, overwritten
     * @throws IllegalArgumentException when the file is damaged or belongs to another network
     */
    static Position restore(Path file, Module network, Map<String, Tensor> best, UpdateRule rule) {
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            Map<String, Tensor> stored = Safetensors.read(file).tensors();
            network.load(part(stored, WEIGHTS));
            copy(file, part(stored, BEST), best);
            copy(file, part(stored, RULE), rule.state());
            Tensor random = stored.get(RANDOM);
            Tensor where = stored.get(POSITION);
            if (random == null || where == null)
                throw new IllegalArgumentException(file + " is no checkpoint: it holds no position");
            RandomState.restore(random);
            return JSON.readValue(where.toBytes(), Position.class);
        }
    }

    private static Map<String, Tensor> part(Map<String, Tensor> stored, String prefix) {
        Map<String, Tensor> part = new LinkedHashMap<>();
        stored.forEach((name, tensor) -> {
            if (name.startsWith(prefix)) part.put(name.substring(prefix.length()), tensor);
        });
        return part;
    }

    private static void copy(Path file, Map<String, Tensor> from, Map<String, Tensor> to) {
        if (!from.keySet().equals(to.keySet()))
            throw new IllegalArgumentException(file + " belongs to another network or optimizer");
        from.forEach((name, tensor) -> to.getOrDefault(name, tensor).copyInPlace(tensor));
    }
}
