package io.guimo.registry;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a model is, what it was made from, and how good it is.
 *
 * @param task             the task's name as a business file writes it, such as {@code classify-images}
 * @param architecture     JSON object with {@code kind}; kept as text, so that a reader that does not know the kind can still verify the package
 * @param stepVersions     version of each preprocessing step by name: an engine refuses versions it does not have
 * @param baseModelDigest  package digest (or, from outside, file digest) of the model that this one was adapted from
 * @param metrics          by name, measured on the test part; empty for a model taken as it is
 * @param comparisons      the model beside its baselines
 * @param gate             what the gate found; null where none was asked
 * @param dataFingerprints SHA-256 of each data set by name
 * @param runId            the training run; null for a model taken as it is
 * @param codeVersion      version of the code that made the package
 */
public record Provenance(
        String task,
        @Nullable String architecture,
        Map<String, Integer> stepVersions,
        @Nullable String baseModelDigest,
        Map<String, Double> metrics,
        List<Comparison> comparisons,
        @Nullable GateResult gate,
        Map<String, String> dataFingerprints,
        @Nullable String runId,
        String codeVersion) {
    public Provenance {
        stepVersions = Collections.unmodifiableMap(new TreeMap<>(stepVersions));
        metrics = Collections.unmodifiableMap(new TreeMap<>(metrics));
        dataFingerprints = Collections.unmodifiableMap(new TreeMap<>(dataFingerprints));
        comparisons = List.copyOf(comparisons);
        if (baseModelDigest != null) Digests.require(baseModelDigest, "the base model");
        for (Map.Entry<String, String> data : dataFingerprints.entrySet()) {
            Digests.require(data.getValue(), "data " + Shown.text(data.getKey()));
        }
        for (Map.Entry<String, Double> metric : metrics.entrySet()) {
            if (Double.isFinite(metric.getValue())) continue;
            throw new IllegalArgumentException("metric " + metric.getKey() + " is " + metric.getValue()
                    + "; leave out what could not be measured");
        }
    }

    /** A model that others trained, taken as it is. */
    public static Provenance asItIs(
            String task, Map<String, Integer> stepVersions, String sourceDigest, String codeVersion) {
        return new Provenance(
                task, null, stepVersions, sourceDigest, Map.of(), List.of(), null, Map.of(), null, codeVersion);
    }
}
