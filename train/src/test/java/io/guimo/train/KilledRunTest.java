package io.guimo.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.train.TrainingChild.Job;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A run whose process is killed (SIGKILL) again and again ends with exactly what an undisturbed run ends with. */
class KilledRunTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @ParameterizedTest
    @EnumSource
    void train_killedAtRandomSteps_sameWeightsAndCurveBitForBit(Job job) throws Exception {
        TrainingResult straight;
        try (RunFolder folder = RunFolder.open(home.resolve("straight"), Started.description("patterns"))) {
            straight = new Trainer(Started.torch(), Duration.ofHours(1))
                    .train(job.problem(), job.settings(), folder, ProgressListener.NONE);
        }

        long seed = System.nanoTime();
        System.out.println("seed of the kills: " + seed);
        Random random = new Random(seed);
        int batches = Math.toIntExact(straight.steps())
                * (job.settings().batch() / job.settings().examplesAtOnce());
        int killed = 0;
        // the first child begins on one thread; those that resume it start with two and must go on with one
        for (int threads = 1; trainInChild(job, threads, random.nextInt(1, batches / 3)); threads = 2) killed++;

        assertThat(killed).isGreaterThanOrEqualTo(2);
        assertThat(home.resolve("killed/best.safetensors")).hasSameBinaryContentAs(straight.bestWeights());
        assertThat(curve("killed")).isEqualTo(curve("straight"));
        assertThat(home.resolve("killed/checkpoint.safetensors")).doesNotExist();
        try (RunFolder folder = RunFolder.open(home.resolve("killed"), Started.description("patterns"))) {
            TrainingResult result =
                    new Trainer(Started.torch()).train(job.problem(), job.settings(), folder, ProgressListener.NONE);
            assertThat(result.curve().getLast().trainLoss())
                    .isEqualTo(straight.curve().getLast().trainLoss());
            assertThat(result.environment().threads()).isEqualTo(1);
        }
    }

    /** @return whether the child was killed, after that many batches; false: it came to the end before */
    private boolean trainInChild(Job job, int threads, int batches) throws IOException, InterruptedException {
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        TrainingChild.class.getName(),
                        home.resolve("killed").toString(),
                        Integer.toString(threads),
                        job.name())
                .redirectError(home.resolve("child.log").toFile())
                .start();
        try (BufferedReader said =
                new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
            int seen = 0;
            for (String line = said.readLine(); line != null; line = said.readLine()) {
                if (!line.equals("batch") || ++seen < batches) continue;
                child.destroyForcibly(); // SIGKILL, wherever the child has got to meanwhile
                child.waitFor();
                return true;
            }
            assertThat(child.waitFor())
                    .as(Files.readString(home.resolve("child.log")))
                    .isZero();
            return false;
        } finally {
            child.destroyForcibly();
        }
    }

    /** Without the seconds, which differ. */
    private List<String> curve(String run) throws IOException {
        List<String> lines = new ArrayList<>();
        for (String line : Files.readAllLines(home.resolve(run).resolve("curve.jsonl")))
            lines.add(line.replaceAll(",\"seconds\":[^}]*", ""));
        return lines;
    }
}
