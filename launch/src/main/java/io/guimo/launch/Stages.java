package io.guimo.launch;

import java.io.Console;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;
import me.tongfei.progressbar.ProgressState;
import org.jspecify.annotations.Nullable;

/**
 * Shows the stages of a long command: the plan before, a bar with rate and estimate during, one line with the seconds after each.
 *
 * <p>On a terminal the bar moves in place; into a file or a pipe it becomes a line every few seconds.
 */
final class Stages {
    private static final int MILLIS_BETWEEN_LINES = 5_000;
    private static final int MILLIS_BETWEEN_FRAMES = 150;

    /** How long a stage took, for the report. */
    record Timing(String name, double seconds) {}

    /** The work of a stage; what it returns is the stage's result. */
    @FunctionalInterface
    interface Work<T> {
        T run(Stage stage) throws Exception;
    }

    private final PrintWriter out;
    private final boolean terminal;
    private final List<Timing> timings = new ArrayList<>();

    Stages(PrintWriter out) {
        this.out = out;
        // present without a terminal too since JDK 22, and absent where its module is
        this.terminal =
                Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    }

    void plan(List<String> names) {
        out.println("Plan: " + String.join(" → ", names));
        out.println();
    }

    <T> T run(String name, Work<T> work) throws Exception {
        long started = System.nanoTime();
        Stage stage = new Stage(name);
        T result;
        try {
            result = work.run(stage);
        } catch (Exception | Error e) {
            stage.endBar();
            out.println("✗ " + name + " (after " + seconds(System.nanoTime() - started) + ")");
            throw e;
        }
        stage.endBar();
        double seconds = (System.nanoTime() - started) / 1e9;
        timings.add(new Timing(name, seconds));
        out.println("✓ " + pad(name) + String.format(Locale.ROOT, "%8.1f s", seconds)
                + (stage.outcome.isEmpty() ? "" : "   " + stage.outcome));
        return result;
    }

    List<Timing> timings() {
        return List.copyOf(timings);
    }

    private static String pad(String name) {
        return name + " ".repeat(Math.max(1, 34 - Table.cellsOf(name)));
    }

    private static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
    }

    /** One stage while it runs. */
    final class Stage {
        private final String name;
        private String outcome = "";
        private @Nullable ProgressBar bar;
        private String task = "";

        private Stage(String name) {
            this.name = name;
        }

        /** The words behind the stage's seconds. */
        void outcome(String text) {
            outcome = text;
        }

        /** A line of its own, above the bar. */
        void say(String text) {
            endBar();
            out.println("  " + text);
        }

        /**
         * Moves the bar.
         *
         * @param task what is being done; a new one starts a new bar
         * @param total in units, or 0 if unknown
         */
        synchronized void progress(String task, long done, long total, String unit, String message) {
            ProgressBar current = bar;
            if (current == null || !this.task.equals(task)) {
                endBar();
                this.task = task;
                current = new ProgressBarBuilder()
                        .setTaskName("  " + name + (task.isEmpty() ? "" : ": " + task))
                        .setInitialMax(total <= 0 ? -1 : total)
                        .setUnit(" " + unit, unitSize(unit))
                        .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                        .showSpeed()
                        .setEtaFunction(Stage::remaining)
                        .setMaxRenderedLength(118)
                        .setUpdateIntervalMillis(terminal ? MILLIS_BETWEEN_FRAMES : MILLIS_BETWEEN_LINES)
                        .setConsumer(consumer())
                        .startsFrom(done, Duration.ZERO)
                        .build();
                bar = current;
            }
            if (total > 0) current.maxHint(total);
            current.stepTo(done);
            current.setExtraMessage(message.isEmpty() ? "" : " " + message);
        }

        /** Nothing is said of the time that is left before a hundredth is done: it would be guessed from the start-up alone. */
        private static Optional<Duration> remaining(ProgressState state) {
            long done = state.getCurrent() - state.getStart();
            if (state.getMax() <= 0 || done <= 0 || done < state.getMax() / 100) return Optional.empty();
            Duration elapsed = state.getElapsedAfterStart();
            return Optional.of(elapsed.dividedBy(done).multipliedBy(state.getMax() - state.getCurrent()));
        }

        private long unitSize(String unit) {
            return unit.equals("MB") ? 1_000_000 : 1;
        }

        private ProgressBarConsumer consumer() {
            return terminal
                    ? new ConsoleProgressBarConsumer(System.out, 118)
                    : new DelegatingProgressBarConsumer(out::println, 118);
        }

        private synchronized void endBar() {
            if (bar != null) {
                bar.close();
                bar = null;
            }
        }
    }
}
