package io.guimo.inference;

import io.guimo.registry.PackageCheck;
import io.guimo.registry.PackageStore;
import io.guimo.registry.TrustedKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The part of {@code benchmarks/labels} without a server: the packaged image classifier of a home folder, called by 1, 8 and 64 threads in a closed
 * loop. Arguments: home folder, picture, seconds. Prints a line of JSON for each number of callers.
 */
public final class LabelsAlone {
    private static final int[] CALLERS = {1, 8, 64};
    private static final long WARM_NANOS = 3_000_000_000L;

    private LabelsAlone() {}

    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]);
        byte[] picture = Files.readAllBytes(Path.of(arguments[1]));
        long nanos = Math.round(Double.parseDouble(arguments[2]) * 1e9);
        try (ImageClassifier model = open(home)) {
            measure(model, picture, 8, WARM_NANOS);
            for (int callers : CALLERS) {
                long began = System.nanoTime();
                long[] waits = measure(model, picture, callers, nanos);
                double seconds = (System.nanoTime() - began) / 1e9;
                System.out.printf(
                        Locale.ROOT,
                        "{\"run\":\"alone\",\"clients\":%d,\"perSecond\":%.0f,\"p50Millis\":%.3f,\"p99Millis\":%.3f}%n",
                        callers,
                        waits.length / seconds,
                        waits[waits.length / 2] / 1e6,
                        waits[(int) (waits.length * .99)] / 1e6);
            }
        }
    }

    private static ImageClassifier open(Path home) throws IOException {
        PackageStore packages = PackageStore.open(home.resolve("packages"));
        TrustedKeys trusted = TrustedKeys.open(home.resolve("keys/trusted"));
        for (String digest : packages.packages()) {
            if (packages.verify(digest, trusted) instanceof PackageCheck.Verified verified
                    && verified.content().manifest().provenance().task().equals("classify-images")) {
                return (ImageClassifier)
                        Started.loader(EngineSettings.standard()).open("labels", "1", verified.content());
            }
        }
        throw new IllegalArgumentException(
                home + " holds no verified image classifier; run ./guimo up --once --home " + home + " first");
    }

    /** @return how long each call took, in ns, the shortest first */
    private static long[] measure(ImageClassifier model, byte[] picture, int callers, long nanos) throws Exception {
        long end = System.nanoTime() + nanos;
        List<long[]> all = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<long[]>> loops = new ArrayList<>();
            for (int i = 0; i < callers; i++) {
                loops.add(threads.submit(() -> {
                    long[] waits = new long[1 << 16];
                    int count = 0;
                    for (long now = System.nanoTime(); now < end && count < waits.length; count++) {
                        model.classify(List.of(picture));
                        long done = System.nanoTime();
                        waits[count] = done - now;
                        now = done;
                    }
                    return Arrays.copyOf(waits, count);
                }));
            }
            for (Future<long[]> loop : loops) all.add(loop.get());
        }
        return all.stream().flatMapToLong(Arrays::stream).sorted().toArray();
    }
}
