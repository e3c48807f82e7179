package io.guimo.task;

import io.guimo.data.ContaminationReport;
import io.guimo.data.DataSettings;
import io.guimo.data.DataSources;
import io.guimo.data.Fingerprint;
import io.guimo.evaluate.EvaluationReport;
import io.guimo.model.ArchitectureSettings;
import io.guimo.model.Module;
import io.guimo.tensor.TorchExecutor;
import java.util.List;
import java.util.Map;

/**
 * A task bound to data that is cleaned, split and free of test rows: what there is to learn, and how what was learnt is judged. Immutable, and the same
 * for the same source: the split has a seed of its own, so that runs with different seeds are judged on the same rows.
 */
public sealed interface Lesson permits ImageLesson, BasketLesson, CorpusLesson {
    /** Decides every split. Not a setting: with it, a choice of split would be one more thing to overfit. */
    long SPLIT_SEED = 1;

    /** Of the rows from which a part is taken: what is kept for stopping and choosing. */
    double VALIDATION_SHARE = .1;

    /** Of all rows, where a source brings no test part of its own. */
    double TEST_SHARE = .2;

    /** Height and width that pictures from a folder of files are brought to. */
    int FOLDER_PICTURE_SIDE = 32;

    Task task();

    /** What preprocessing learnt from the training part. */
    FittedSteps steps();

    /** Proof that no test row reached training. */
    ContaminationReport contamination();

    /** By file name, of everything that was read. */
    Map<String, Fingerprint> fingerprints();

    /** Rows for learning, after those dropped. */
    int trainingRows();

    /** Rows for stopping and choosing. */
    int validationRows();

    /** Rows for judging. */
    int testRows();

    /** How the data was cleaned and split, a line each: for the run's record and the report. */
    List<String> notes();

    /** The network that is trained unless the business says otherwise. */
    default ArchitectureSettings defaultArchitecture() {
        return task().defaultArchitecture()
                .orElseThrow(() -> new IllegalStateException(task().name() + " is learnt but has no architecture"));
    }

    /**
     * What the training loop asks.
     *
     * @throws IllegalArgumentException if the task cannot be learnt by that architecture
     */
    TrainingProblem problem(ArchitectureSettings architecture);

    /** What a package must hold beside weights and steps for other programs to load the network, by file name; nothing for most tasks. */
    default Map<String, byte[]> companions(ArchitectureSettings architecture) {
        return Map.of();
    }

    /**
     * Reads the test part: once, after everything is chosen.
     *
     * @param network trained; is put into evaluation mode
     * @param executor runs the network; the baselines are trained on the calling thread
     */
    EvaluationReport judge(Module network, TorchExecutor executor);

    /**
     * @throws io.guimo.data.DataException if the data is missing, malformed or of another kind than the task learns from
     * @throws IllegalArgumentException if the task is not trained here
     */
    static Lesson open(TaskName task, DataSettings data, DataSources sources) {
        return switch (task) {
            case CLASSIFY_IMAGES -> ImageLesson.of(sources.images(data, FOLDER_PICTURE_SIDE));
            case RECOMMEND_ITEMS -> BasketLesson.of(sources.baskets(data));
            case GENERATE_TEXT -> CorpusLesson.of(sources.corpus(data), sources.nativeFolder());
            case EMBED_TEXT ->
                throw new IllegalArgumentException("'" + task.fileName()
                        + "' is served from a model that exists, not trained: give it 'from' instead of 'data'");
        };
    }
}
