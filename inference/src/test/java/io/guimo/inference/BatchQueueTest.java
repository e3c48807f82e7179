package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class BatchQueueTest {
    @Test
    void take_someWait_allOfThemUpToTheRuleInOrder() {
        BatchQueue<Integer> queue = new BatchQueue<>(BatchQueue.BatchRule.atMost(3), Duration.ZERO);
        queue.putAll(List.of(1, 2, 3, 4));
        queue.put(5);

        assertThat(queue.take()).containsExactly(1, 2, 3);
        assertThat(queue.take()).containsExactly(4, 5);
    }

    @Test
    void take_unitsThatDoNotBelongTogether_leftForTheNext() {
        BatchQueue<Integer> queue =
                new BatchQueue<>((batch, candidate) -> batch.getFirst() % 2 == candidate % 2, Duration.ZERO);
        queue.putAll(List.of(1, 2, 3, 4, 5));

        assertThat(queue.take()).containsExactly(1, 3, 5);
        assertThat(queue.take()).containsExactly(2, 4);
    }

    @Test
    void take_lingering_gathersWhatComesInTime() throws Exception {
        BatchQueue<Integer> queue = new BatchQueue<>(BatchQueue.BatchRule.atMost(10), Duration.ofSeconds(20));
        queue.put(1);
        CompletableFuture<List<Integer>> batch = CompletableFuture.supplyAsync(queue::take);
        queue.put(2);
        // Closing ends the lingering: nothing more can come.
        queue.close();

        assertThat(batch.get()).containsExactly(1, 2);
    }

    @Test
    void close_someWait_takenFirstThenEmpty() {
        BatchQueue<Integer> queue = new BatchQueue<>(BatchQueue.BatchRule.atMost(10), Duration.ZERO);
        queue.put(1);
        queue.close();

        assertThat(queue.take()).containsExactly(1);
        assertThat(queue.take()).isEmpty();
        assertThat(queue.take()).isEmpty();
    }
}
