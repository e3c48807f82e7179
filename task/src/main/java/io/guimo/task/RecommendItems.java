package io.guimo.task;

import io.guimo.evaluate.Metric;
import io.guimo.evaluate.Metrics;
import io.guimo.units.Meter;
import java.util.List;

/**
 * Which items go well with those already chosen.
 *
 * <p>Columns: {@code items} (names of the items of one basket). Answer: the items not yet chosen, best first, each with a score. Loss: softmax cross
 * entropy of held-out items. Sold per request.
 */
public record RecommendItems() implements Task {
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
