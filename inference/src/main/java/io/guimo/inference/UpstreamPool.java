package io.guimo.inference;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The upstreams of one model. A request goes to the upstream that its conversation's beginning prefers, whose cache then knows it, unless that one has
 * more to do than its share: then to the one with the least to do for its weight. What failed before a byte of an answer is tried elsewhere.
 */
final class UpstreamPool implements AutoCloseable {
    /**
     * How far above its share of the load an upstream may be and still be preferred: bounded-load hashing with c = 1.25 (Mirrokni, Thorup and
     * Zadimoghaddam 2016, arXiv 1608.01350), which moves few requests and lets none wait long.
     */
    private static final double LOAD_BOUND = 1.25;

    private final String model;
    private final RemoteChatSettings settings;
    private final List<Upstream> upstreams;
    private final Watchdog watchdog;
    private final RetryBudget budget = new RetryBudget();
    private final LongAdder retries = new LongAdder();

    UpstreamPool(String model, RemoteChatSettings settings, KeyReference.Resolver keys) {
        this.model = model;
        this.settings = settings;
        this.watchdog = new Watchdog(model);
        try {
            this.upstreams = settings.upstreams().stream()
                    .map(u -> new Upstream(model, u, settings, keys, watchdog))
                    .toList();
        } catch (RuntimeException e) {
            watchdog.close();
            throw e;
        }
        Duration period = settings.probeEvery();
        if (!period.isZero()) {
            watchdog.each(
                    period, () -> upstreams.forEach(u -> Thread.ofVirtual().start(() -> u.probe(period))));
        }
    }

    /** Whether there is a choice, so that a request's prefix matters. */
    boolean chooses() {
        return upstreams.size() > 1;
    }

    /**
     * Sends a request until an upstream answers.
     *
     * @param firstByte within which an answer must begin; the limits of the settings count beside it
     * @throws UpstreamBusy   if none takes it now
     * @throws UpstreamFailed if none gave a whole answer
     */
    <T> T exchange(ChatBody.Request request, String accept, Duration firstByte, Upstream.Reader<T> reader) {
        budget.requested();
        long began = System.nanoTime();
        long end = began + settings.timeLimits().total().toNanos();
        long waitNanos = settings.retries().longestWait().toNanos();
        long tried = 0;
        @Nullable FailedAttempt last = null;
        int attempts = 0;
        while (true) {
            long now = System.nanoTime();
            int chosen = choose(request.prefix(), tried, now);
            if (chosen < 0) {
                long wait = nanosToNextBusy(now);
                if (wait > waitNanos || wait < 0 || now + wait - end >= 0) throw refusal(last, now);
                LockSupport.parkNanos(wait);
                if (Thread.currentThread().isInterrupted()) throw refusal(last, now);
                waitNanos -= System.nanoTime() - now;
                continue;
            }
            Upstream upstream = upstreams.get(chosen);
            tried |= 1L << chosen;
            if (attempts > 0) retries.increment();
            try {
                return upstream.exchange(request.as(upstream.quotedModel()), accept, firstByte, end, reader);
            } catch (Upstream.NotNow e) {
                continue;
            } catch (FailedAttempt e) {
                last = e;
                if (e.later()) tried &= ~(1L << chosen); // it is asked again when the time that it named has passed
            }
            if (!last.repeatable() || ++attempts >= settings.retries().attempts() || !budget.retry())
                throw refusal(last, System.nanoTime());
        }
    }

    /** @return the index of the upstream to ask; -1 if none can be asked that was not yet */
    private int choose(long prefix, long tried, long now) {
        if (!chooses()) return tried == 0 && upstreams.getFirst().usable(now) ? 0 : -1;
        int preferred = -1;
        double highestRank = -1;
        int least = -1;
        double leastLoad = Double.MAX_VALUE;
        long outstanding = 0;
        long weights = 0;
        for (int i = 0; i < upstreams.size(); i++) {
            Upstream upstream = upstreams.get(i);
            if ((tried & 1L << i) != 0 || !upstream.usable(now)) continue;
            outstanding += upstream.outstanding();
            weights += upstream.weight();
            double load = (upstream.outstanding() + 1.0) / upstream.weight();
            if (load < leastLoad) {
                leastLoad = load;
                least = i;
            }
            double rank = Prefixes.rank(prefix, upstream);
            if (rank > highestRank) {
                highestRank = rank;
                preferred = i;
            }
        }
        if (preferred < 0) return -1;
        Upstream upstream = upstreams.get(preferred);
        double share = Math.ceil(LOAD_BOUND * (outstanding + 1) * upstream.weight() / weights);
        return upstream.outstanding() + 1 <= share ? preferred : least;
    }

    /** Until the first upstream that named a time can be asked again; -1 if there is none. One that rests after failures is not waited for. */
    private long nanosToNextBusy(long now) {
        long next = -1;
        for (Upstream upstream : upstreams) {
            long busy = upstream.nanosBusy(now);
            if (busy <= 0 || upstream.nanosToUse(now) > busy) continue;
            if (next < 0 || busy < next) next = busy;
        }
        return next;
    }

    private InferenceRefusal refusal(@Nullable FailedAttempt last, long now) {
        if (last != null && !last.later()) {
            return new UpstreamFailed(
                    model, last.kind() == FailedAttempt.Kind.TIMED_OUT, last.repeatable(), last.reason());
        }
        long soonest = Long.MAX_VALUE;
        for (Upstream upstream : upstreams) soonest = Math.min(soonest, Math.max(0, upstream.nanosToUse(now)));
        return new UpstreamBusy(
                model,
                last == null ? "each rests after failures or asked for time" : last.reason(),
                Duration.ofNanos(soonest));
    }

    long retries() {
        return retries.sum();
    }

    List<UpstreamState> states() {
        return upstreams.stream().map(Upstream::state).toList();
    }

    @Override
    public void close() {
        watchdog.close();
        upstreams.forEach(Upstream::close);
    }
}
