package io.guimo.inference;

import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Our count of tokens beside the upstream's. Thread-safe. */
final class CountComparison {
    private static final Logger LOG = LoggerFactory.getLogger(CountComparison.class);
    private static final double TOLERATED_SHARE = .1;
    /** A template that differs from ChatML by a token or two a message is no discrepancy. */
    private static final long TOLERATED_TOKENS = 8;

    private final String model;
    private final LongAdder ourInput = new LongAdder();
    private final LongAdder theirInput = new LongAdder();
    private final LongAdder ourOutput = new LongAdder();
    private final LongAdder theirOutput = new LongAdder();
    private final LongAdder differed = new LongAdder();

    CountComparison(String model) {
        this.model = model;
    }

    void compare(ChatUsage ours, ChatUsage theirs) {
        long input = ours.inputTokens() + ours.cachedInputTokens();
        long reported = theirs.inputTokens() + theirs.cachedInputTokens();
        ourInput.add(input);
        theirInput.add(reported);
        ourOutput.add(ours.outputTokens());
        theirOutput.add(theirs.outputTokens());
        if (!apart(input, reported) && !apart(ours.outputTokens(), theirs.outputTokens())) return;
        if (differed.sum() == 0) {
            LOG.warn(
                    "model {}: the upstream reports {} input and {} output tokens where we count {} and {}; ours are billed. Later ones are counted only",
                    model,
                    reported,
                    theirs.outputTokens(),
                    input,
                    ours.outputTokens());
        }
        differed.increment();
    }

    private static boolean apart(long ours, long theirs) {
        long difference = Math.abs(ours - theirs);
        return difference > TOLERATED_TOKENS && difference > TOLERATED_SHARE * Math.max(ours, theirs);
    }

    RemoteState.BothCounts tokens() {
        return new RemoteState.BothCounts(ourInput.sum(), theirInput.sum(), ourOutput.sum(), theirOutput.sum());
    }

    long differed() {
        return differed.sum();
    }
}
