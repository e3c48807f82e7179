package io.guimo.train;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a run has cost so far: seconds, processor time and memory of this process on top of what earlier parts of the run stored. */
final class RunClock {
    private static final Path STATUS = Path.of("/proc/self/status");

    private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final double secondsBefore;
    private final double cpuSecondsBefore;
    private final long peakBefore;
    private final long begunNanos = System.nanoTime();
    private final long begunCpuNanos = system.getProcessCpuTime();

    RunClock(double secondsBefore, double cpuSecondsBefore, long peakBefore) {
        this.secondsBefore = secondsBefore;
        this.cpuSecondsBefore = cpuSecondsBefore;
        this.peakBefore = peakBefore;
    }

    double seconds() {
        return secondsBefore + (System.nanoTime() - begunNanos) / 1e9;
    }

    /** Of the whole process: its other threads too, so a process that trains should do little else. */
    double cpuSeconds() {
        return cpuSecondsBefore + (system.getProcessCpuTime() - begunCpuNanos) / 1e9;
    }

    /** Greatest resident memory; where the system doesn't tell (not Linux), the heap's. */
    long peakMemoryBytes() {
        long now = Runtime.getRuntime().totalMemory();
        if (Files.isReadable(STATUS)) {
            try {
                now = Files.readAllLines(STATUS).stream()
                        .filter(line -> line.startsWith("VmHWM:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                        .findFirst()
                        .orElse(now);
            } catch (IOException gone) {
                return Math.max(peakBefore, now); // the heap's, as without /proc
            }
        }
        return Math.max(peakBefore, now);
    }
}
