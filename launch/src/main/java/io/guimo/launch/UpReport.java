package io.guimo.launch;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@code ./guimo up} shows at its end and writes with {@code --report}. Money is decimal strings in the business's currency.
 *
 * @param ownerKey opens the console and the owner's API
 * @param customerKey the demonstration customer's newest key; null where the business has no demonstration
 * @param invoice the demonstration's final invoice; null where the business has no demonstration
 * @param receipts three of the demonstration's receipts with their derivation, as the server gives them
 */
record UpReport(
        String baseUrl,
        String ownerKey,
        @Nullable String customerKey,
        List<Model> models,
        List<UsageSum> usage,
        List<Object> receipts,
        @Nullable Invoice invoice,
        Ledger ledger,
        List<Economics> economics,
        List<Stages.Timing> stages) {

    /**
     * @param metrics on the test part; empty for a model taken as it is
     * @param baseline the strongest small model on the same rows; null for a model taken as it is
     * @param gate {@code passed}, {@code failed}, {@code forced}, or {@code none} where nothing was asked
     * @param trainSeconds wall-clock time of training, over all its interruptions
     */
    record Model(
            String name,
            String version,
            String task,
            Map<String, Double> metrics,
            @Nullable Baseline baseline,
            String gate,
            double trainSeconds,
            String trainCost) {}

    record Baseline(String name, Map<String, Double> metrics) {}

    record UsageSum(String model, String meter, long quantity, String amount) {}

    /**
     * @param lines as the server gives them
     * @param pdf path of the document
     */
    record Invoice(String number, String status, String currency, Object lines, String total, String pdf) {}

    record Ledger(Map<String, String> sumByCurrency, long postings, long reservationsOpen) {}

    /**
     * @param measuredCost of what was sold
     * @param utilisation share of the time of this run in which the engine was at work, 0 to 1
     * @param breakEvenUnits units until training is earned back; null where the margin of a unit is not positive
     */
    record Economics(
            String model,
            long unitsSold,
            String revenue,
            String measuredCost,
            String margin,
            double utilisation,
            @Nullable Long breakEvenUnits) {}
}
