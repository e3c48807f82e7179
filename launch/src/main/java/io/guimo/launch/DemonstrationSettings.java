package io.guimo.launch;

import java.math.BigDecimal;

/**
 * The customer that {@code ./guimo up} plays once a home: a sandbox organisation that buys from every model, so that the way to the invoice is seen.
 *
 * @param customer name of the organisation
 * @param plan the plan it subscribes to
 * @param credit prepaid, in the business's currency
 * @param requests how many it sends, spread over the models
 */
record DemonstrationSettings(String customer, String plan, BigDecimal credit, int requests) {
    DemonstrationSettings {
        if (requests < 1 || requests > 10_000)
            throw new IllegalArgumentException("requests " + requests + " is outside 1 to 10000");
        if (credit.signum() <= 0) throw new IllegalArgumentException("credit " + credit + " must be more than 0");
    }
}
