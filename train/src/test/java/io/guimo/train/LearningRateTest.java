package io.guimo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guimo.train.TrainSettings.EarlyStopping;
import io.guimo.train.TrainSettings.Goal;
import io.guimo.train.TrainSettings.Optimizer;
import io.guimo.train.TrainSettings.Schedule;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

class LearningRateTest {
    @Test
    void at_eachSchedule_goesThroughItsLandmarks() {
        LearningRate constant = new LearningRate(Schedule.CONSTANT, 2, 100);
        assertThat(constant.at(0)).isEqualTo(2);
        assertThat(constant.at(99)).isEqualTo(2);

        LearningRate cosine = new LearningRate(Schedule.COSINE, 2, 100);
        assertThat(cosine.at(0)).isEqualTo(2);
        assertThat(cosine.at(50)).isCloseTo(1, within(1e-12));
        assertThat(cosine.at(99)).isBetween(0.0, .001);

        LearningRate oneCycle = new LearningRate(Schedule.ONE_CYCLE, 2, 100);
        assertThat(oneCycle.at(0)).isCloseTo(2.0 / 25, within(1e-12));
        assertThat(oneCycle.at(25)).isEqualTo(2);
        assertThat(oneCycle.at(62)).isCloseTo(1, within(.03)); // half way down
        assertThat(oneCycle.at(99)).isBetween(0.0, .001);
    }

    @Test
    void at_warmUp_risesInAStraightLineAndThenFollowsTheSchedule() {
        LearningRate cosine = new LearningRate(Schedule.COSINE, 2, 100, .1);
        assertThat(cosine.at(0)).isCloseTo(2.0 / 11, within(1e-12));
        assertThat(cosine.at(4)).isCloseTo(2 * 5.0 / 11, within(1e-12));
        assertThat(cosine.at(10)).isEqualTo(2);
        assertThat(cosine.at(55)).isCloseTo(1, within(1e-12));
        LearningRate constant = new LearningRate(Schedule.CONSTANT, 2, 100, .1);
        assertThat(constant.at(9)).isCloseTo(2 * 10.0 / 11, within(1e-12));
        assertThat(constant.at(99)).isEqualTo(2);
    }

    /** A run's identity and record from before these settings existed. */
    @Test
    void settings_newOnesLeftOut_storedAsBefore() {
        JsonMapper json = JsonMapper.builder().build();
        TrainSettings settings = new TrainSettings(null, null, null, null, null, null, null, null, null, null);
        String stored = json.writeValueAsString(settings);
        assertThat(stored).contains("\"seed\":1").doesNotContain("warmUp").doesNotContain("microBatch");
        assertThat(json.readValue(stored, TrainSettings.class)).isEqualTo(settings);
        TrainSettings warm =
                new TrainSettings(null, null, 64, null, Schedule.COSINE, null, null, null, null, .1, 16, null);
        assertThat(json.readValue(json.writeValueAsString(warm), TrainSettings.class))
                .isEqualTo(warm);
    }

    @Test
    void settings_leftOut_getTheirDefaults() {
        TrainSettings settings = new TrainSettings(null, null, null, null, null, null, null, null, null, null);
        assertThat(settings)
                .isEqualTo(
                        new TrainSettings(Optimizer.ADAMW, 1e-3, 128, 10, Schedule.ONE_CYCLE, .01, .9, null, null, 1L));
        assertThat(new TrainSettings(Optimizer.SGD, null, null, null, null, null, null, null, null, null)
                        .learningRate())
                .isEqualTo(.1);
        assertThat(new EarlyStopping("logLoss", null, null)).isEqualTo(new EarlyStopping("logLoss", 3, Goal.MINIMIZE));
        assertThat(new EarlyStopping("natsPerCharacter", null, null).goal()).isEqualTo(Goal.MINIMIZE);
        assertThat(new EarlyStopping("accuracy", null, null).goal()).isEqualTo(Goal.MAXIMIZE);
    }

    @Test
    void settings_outOfRange_sayValueRangeAndExample() {
        assertThatThrownBy(() -> new TrainSettings(null, Double.NaN, null, null, null, null, null, null, null, null))
                .hasMessage("learningRate NaN must be over 0 and at most 10, such as 0.001");
        assertThatThrownBy(() -> new TrainSettings(null, null, 0, null, null, null, null, null, null, null))
                .hasMessage("batch 0 must be 1 to 65536, such as 128");
        assertThatThrownBy(() -> new TrainSettings(null, null, null, -1, null, null, null, null, null, null))
                .hasMessageContaining("epochs -1");
        assertThatThrownBy(() -> new TrainSettings(null, null, null, null, null, 2.0, null, null, null, null))
                .hasMessageContaining("weightDecay 2.0");
        assertThatThrownBy(() -> new TrainSettings(null, null, null, null, null, null, 1.0, null, null, null))
                .hasMessageContaining("momentum 1.0");
        assertThatThrownBy(() -> new TrainSettings(null, null, null, null, null, null, null, 0.0, null, null))
                .hasMessageContaining("clipGradientNorm 0.0");
        assertThatThrownBy(() -> new TrainSettings(
                        null, null, null, null, Schedule.ONE_CYCLE, null, null, null, null, .1, null, null))
                .hasMessageContaining("one-cycle has its own");
        assertThatThrownBy(() -> new TrainSettings(
                        null, null, null, null, Schedule.COSINE, null, null, null, null, 1.0, null, null))
                .hasMessageContaining("warmUp 1.0");
        assertThatThrownBy(() -> new TrainSettings(null, null, 128, null, null, null, null, null, null, null, 48, null))
                .hasMessageContaining("microBatch 48 must be a divisor of batch 128");
        assertThatThrownBy(() -> new EarlyStopping("accuracy", 0, null)).hasMessageContaining("patience 0");
        assertThatThrownBy(() -> new EarlyStopping(" ", 1, null)).hasMessageContaining("metric is empty");
    }
}
