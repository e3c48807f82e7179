package io.guimo.task;

import io.guimo.evaluate.Metric;
import io.guimo.evaluate.Metrics;
import io.guimo.model.ArchitectureSettings;
import io.guimo.units.Meter;
import io.guimo.units.NearestName;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Which items go well with those already chosen.
 *
 * <p>Columns: {@code items} (names of the items of one basket). Answer: the items not yet chosen, best first, each with a score. Loss: softmax cross
 * entropy of held-out items. Sold per request.
 */
public record RecommendItems() implements Task {
    /** What became of a basket on its way to the network. */
    public sealed interface Preparation {}

    /**
     * @param items indices into the vocabulary, ascending, each once. The array is the preparation's own.
     */
    @SuppressWarnings("ArrayRecordComponent") // goes straight into a tensor
    public record Prepared(int[] items) implements Preparation {}

    /**
     * An item that the network has never seen.
     *
     * @param position of the item in the basket, from 0
     * @param message what is unknown and the nearest known name
     */
    public record UnknownItem(int position, String item, Optional<String> nearest, String message)
            implements Preparation {}

    /**
     * The network's input for one basket: indices of its items. Names are taken without regard to case and outer blanks.
     */
    public static Preparation prepare(List<String> items, FittedSteps.Items steps) {
        Map<String, Integer> known = new HashMap<>();
        for (int i = 0; i < steps.items().size(); i++)
            known.put(key(steps.items().get(i)), i);
        BitSet chosen = new BitSet();
        for (int i = 0; i < items.size(); i++) {
            Integer index = known.get(key(items.get(i)));
            if (index == null) return unknown(i, items.get(i), steps);
            chosen.set(index);
        }
        return new Prepared(chosen.stream().toArray());
    }

    private static UnknownItem unknown(int position, String item, FittedSteps.Items steps) {
        // Hostile names may be long; no known one is.
        String shown = item.length() <= 60 ? item : item.substring(0, 60) + "…";
        Optional<String> nearest = NearestName.of(shown, steps.items());
        return new UnknownItem(
                position,
                shown,
                nearest,
                "items[" + position + "] is '" + shown + "', which is none of the "
                        + steps.items().size()
                        + " known items"
                        + nearest.map(name -> "; did you mean '" + name + "'?").orElse(""));
    }

    private static String key(String item) {
        return item.strip().toLowerCase(Locale.ROOT);
    }

    @Override
    public TaskName name() {
        return TaskName.RECOMMEND_ITEMS;
    }

    @Override
    public List<Column> columns() {
        return List.of(new Column("items", "names of the items of one basket"));
    }

    @Override
    public String answer() {
        return "items not yet chosen, best first, each with a score";
    }

    /** Without dropout: hiding one item at a time is what is judged, and hiding more made it worse (docs/log.md). */
    @Override
    public Optional<ArchitectureSettings> defaultArchitecture() {
        return Optional.of(new ArchitectureSettings.LinearAutoencoder(0.0));
    }

    @Override
    public Optional<String> loss() {
        return Optional.of("softmax cross entropy of a hidden item among those not shown");
    }

    @Override
    public List<Metric> metrics() {
        return List.of(Metrics.HIT_RATE_AT_10, Metrics.NDCG_AT_10, Metrics.MRR);
    }

    @Override
    public List<String> baselines() {
        return List.of("popularity", "item co-occurrence");
    }

    @Override
    public List<Meter> meters() {
        return List.of(Meter.REQUESTS);
    }
}
