package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class AdmissionTest {
    private final Admission door = new Admission("labels", "1", 10, 1000);

    @Test
    void enter_roomForUnitsAndWeight_in() {
        door.enter(4, 500);
        door.enter(6, 500);
        door.leave(10, 1000);
    }

    @Test
    void enter_noRoom_overloadedUntilSomeLeave() {
        door.enter(8, 10);
        assertThatThrownBy(() -> door.enter(3, 10)).isInstanceOf(Overloaded.class);
        assertThatThrownBy(() -> door.enter(1, 991)).isInstanceOf(Overloaded.class);
        door.enter(2, 990);
        assertThatThrownBy(() -> door.enter(1, 0)).isInstanceOf(Overloaded.class);
        door.leave(1, 0);
        door.enter(1, 0);
    }

    @Test
    void enter_empty_takesEvenALargeCall() {
        door.enter(50, 5000);
        assertThatThrownBy(() -> door.enter(1, 1)).isInstanceOf(Overloaded.class);
    }

    @Test
    void overloaded_retryAfter_isWhatTheQueueNeeds() {
        for (int i = 0; i < 200; i++) door.worked(2, Duration.ofMillis(400).toNanos());
        door.enter(10, 0);

        Overloaded refusal = catchThrowableOfType(Overloaded.class, () -> door.enter(1, 0));

        assertThat(refusal.retryAfter()).isBetween(Duration.ofMillis(1990), Duration.ofMillis(2010));
        assertThat(refusal.retryable()).isTrue();
        assertThat(refusal.code()).isEqualTo("engine_overloaded");
    }

    @Test
    void overloaded_retryAfter_keptWithinBounds() {
        door.enter(10, 0);
        for (int i = 0; i < 300; i++) door.worked(1, 1);
        assertThat(catchThrowableOfType(Overloaded.class, () -> door.enter(1, 0))
                        .retryAfter())
                .isEqualTo(Duration.ofMillis(50));
        for (int i = 0; i < 300; i++) door.worked(1, Duration.ofHours(1).toNanos());
        assertThat(catchThrowableOfType(Overloaded.class, () -> door.enter(1, 0))
                        .retryAfter())
                .isEqualTo(Duration.ofSeconds(30));
    }

    @Test
    void closeAndDrain_someInside_waitsForThemAndLetsNobodyIn() throws Exception {
        door.enter(3, 0);
        CountDownLatch drained = new CountDownLatch(1);
        Thread closing = Thread.ofVirtual().start(() -> {
            door.closeAndDrain();
            drained.countDown();
        });
        while (true) {
            try {
                door.enter(1, 0);
                door.leave(1, 0);
            } catch (EngineClosed closed) {
                break;
            }
        }
        assertThat(drained.getCount()).isEqualTo(1);
        door.leave(2, 0);
        assertThat(drained.getCount()).isEqualTo(1);
        door.leave(1, 0);
        drained.await();
        closing.join();
    }

    @Test
    void leave_moreThanEntered_isABrokenAssumption() {
        assertThatThrownBy(() -> door.leave(1, 0)).isInstanceOf(IllegalStateException.class);
    }
}
