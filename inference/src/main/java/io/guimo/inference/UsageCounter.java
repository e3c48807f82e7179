package io.guimo.inference;

import io.guimo.units.Meter;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/** Counts what an engine does. Thread-safe. */
public final class UsageCounter {
    private final Map<Meter, LongAdder> units = new EnumMap<>(Meter.class);
    private final LongAdder requests = new LongAdder();
    private final LongAdder batches = new LongAdder();
    private final ReentrantLock busyLock = new ReentrantLock();
    private int inWork;
    private long busySince;
    private long busyNanos;

    public UsageCounter(Set<Meter> meters) {
        for (Meter meter : meters) units.put(meter, new LongAdder());
    }

    public void answered(Map<Meter, Long> delivered) {
        requests.increment();
        delivered.forEach((meter, quantity) -> {
            LongAdder counted = units.get(meter);
            if (counted == null) throw new IllegalArgumentException("this engine does not sell " + meter);
            counted.add(quantity);
        });
    }

    /** A batch begins; {@link #batchEnded} follows, whatever comes of it. */
    public void batchBegan() {
        busyLock.lock();
        try {
            if (inWork++ == 0) busySince = System.nanoTime();
        } finally {
            busyLock.unlock();
        }
    }

    public void batchEnded() {
        batches.increment();
        busyLock.lock();
        try {
            if (--inWork == 0) busyNanos += System.nanoTime() - busySince;
        } finally {
            busyLock.unlock();
        }
    }

    public EngineUsage read(long cpuNanos) {
        return read(cpuNanos, Map.of(), 0);
    }

    public EngineUsage read(long cpuNanos, Map<Meter, Long> cpuNanosByMeter, long workerNanos) {
        Map<Meter, Long> counted = new EnumMap<>(Meter.class);
        units.forEach((meter, quantity) -> counted.put(meter, quantity.sum()));
        long busy;
        busyLock.lock();
        try {
            busy = busyNanos + (inWork > 0 ? System.nanoTime() - busySince : 0);
        } finally {
            busyLock.unlock();
        }
        return new EngineUsage(counted, requests.sum(), batches.sum(), cpuNanos, cpuNanosByMeter, workerNanos, busy);
    }
}
