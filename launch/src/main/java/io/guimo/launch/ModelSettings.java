package io.guimo.launch;

import io.guimo.model.ArchitectureSettings;
import io.guimo.registry.GateSettings;
import io.guimo.task.Task;
import io.guimo.task.TaskName;
import io.guimo.train.TrainSettings;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One model of a business: trained on {@code data}, or taken {@code from} somewhere and served as it is.
 *
 * @param task decides columns, loss, metrics, baseline, route and meters
 * @param data name of a data set of the business; for models trained here
 * @param from where a pre-trained model or a remote engine is
 * @param architecture the task's default if absent
 * @param train how to train; the defaults of {@link TrainSettings} if absent
 * @param gate what the model must reach on its test part before it is promoted, as {@link GateSettings#of} reads it
 */
record ModelSettings(
        TaskName task,
        @Nullable String data,
        @Nullable SourceSettings from,
        @Nullable ArchitectureSettings architecture,
        @Nullable TrainSettings train,
        @Nullable Map<String, String> gate) {
    ModelSettings {
        if ((data == null) == (from == null)) {
            throw new IllegalArgumentException(
                    "a model has either 'data' (it is trained here) or 'from' (it is taken as it is)"
                            + (data == null ? "; this one has neither" : ", not both"));
        }
        if (from != null && (architecture != null || train != null || gate != null)) {
            throw new IllegalArgumentException("from takes a model as it is: leave out architecture, train and gate");
        }
        if (from != null && from.servers().isPresent() && task != TaskName.GENERATE_TEXT) {
            throw new IllegalArgumentException("task is " + task.fileName() + "; other servers answer for "
                    + TaskName.GENERATE_TEXT.fileName() + " only");
        }
        Task known = task.task();
        if (gate != null)
            GateSettings.of(gate)
                    .requireMeasured(known.metrics().stream().map(m -> m.name()).toList());
    }

    boolean isTrained() {
        return data != null;
    }

    GateSettings gateSettings() {
        return gate == null ? GateSettings.NONE : GateSettings.of(gate);
    }
}
