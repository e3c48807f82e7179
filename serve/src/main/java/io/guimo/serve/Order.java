package io.guimo.serve;

import io.guimo.serve.http.Content;
import io.guimo.units.Meter;
import java.util.List;
import java.util.Map;

/**
 * A parsed and checked request for something that is sold.
 *
 * @param product what is sold: the model's name
 * @param atMost most units that serving it can use
 * @param content what tells this request from another one under the same idempotency key, such as the body
 * @param work serves it; called once, after the money for {@code atMost} is held
 */
public record Order(String product, Map<Meter, Long> atMost, List<byte[]> content, Work work) {
    public Order {
        atMost = Map.copyOf(atMost);
        content = List.copyOf(content);
    }

    /** The serving itself. */
    @FunctionalInterface
    public interface Work {
        /** @throws Exception whatever is thrown, nothing is billed */
        Served serve() throws Exception;
    }

    /**
     * What was made.
     *
     * @param delivered units used, at most those of the order
     */
    public record Served(Map<Meter, Long> delivered, Content answer) {
        public Served {
            delivered = Map.copyOf(delivered);
        }
    }
}
