package io.guimo.inference.generate;

import io.guimo.inference.generate.GeneratedToken.Alternative;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Draws the tokens of one sequence from its logits, as {@link Sampling} says. Used by one thread.
 *
 * <p>A vocabulary has up to some 150,000 tokens and this runs once for each token of each answer, so nothing here sorts it: a cut (top-k, top-p) finds
 * its border by a histogram of the logits and sorts only the one bar that the border falls into. Candidates are drawn in the order of their ids, not
 * of their probabilities: two nearly equal logits that change places, as they do when a batch has another size, then change next to nothing.
 */
public final class Sampler {
    /**
     * A token whose logit, divided by the temperature, is this far below the greatest is not drawn: all such tokens together have a probability
     * below 150,000 · e⁻⁴⁰ = 6·10⁻¹³.
     */
    private static final float NEGLIGIBLE_NATS = 40;

    private static final int BARS = 4096;

    private final Sampling sampling;
    private final Set<Integer> endTokens;
    private final @Nullable ConstraintState constraint;
    private final int topLogprobs;
    private final SplittableRandom random;
    private final @Nullable TokenCounts counts;
    private final float[] logits;
    private final Candidates candidates;
    private boolean ended;

    /**
     * @param prompt its tokens count for the repetition penalty
     * @param endTokens after one of them {@link #mustEnd}
     * @param constraint null: anything
     * @param topLogprobs as {@link GenerationRequest#topLogprobs}
     * @param seedIfNone used where {@code sampling} has no seed
     */
    public Sampler(
            Sampling sampling,
            int vocabularySize,
            int[] prompt,
            Set<Integer> endTokens,
            @Nullable ConstraintState constraint,
            int topLogprobs,
            long seedIfNone) {
        this.sampling = sampling;
        this.endTokens = Set.copyOf(endTokens);
        this.constraint = constraint;
        this.topLogprobs = topLogprobs;
        Long seed = sampling.seed();
        random = new SplittableRandom(seed == null ? seedIfNone : seed);
        boolean penalised = sampling.frequencyPenalty() != 0
                || sampling.presencePenalty() != 0
                || sampling.repetitionPenalty() != 1;
        counts = penalised ? new TokenCounts(vocabularySize, prompt) : null;
        logits = new float[vocabularySize];
        candidates = new Candidates(sampling.temperature() == 0 ? 0 : vocabularySize);
        for (int token : sampling.logitBias().keySet()) {
            if (token < 0 || token >= vocabularySize) {
                throw new IllegalArgumentException(
                        "logitBias names token " + token + "; the model has 0 to " + (vocabularySize - 1));
            }
        }
    }

    /**
     * Draws the next token and takes it as part of the answer. Not to be called once {@link #mustEnd}.
     *
     * @param logits float32, one for each token of the vocabulary
     * @throws IllegalStateException if a logit is NaN or none can be drawn: the model is broken
     */
    public GeneratedToken next(MemorySegment logits) {
        if (mustEnd()) throw new IllegalStateException("the answer has ended");
        MemorySegment.copy(logits, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, this.logits, 0, this.logits.length);
        // The model's own probabilities must be read before the logits are changed.
        double logNormaliser = topLogprobs < 0 ? Double.NaN : logSumExp(this.logits);
        List<Alternative> alternatives = topLogprobs <= 0 ? List.of() : mostLikely(topLogprobs, logNormaliser);

        addBias();
        if (counts != null) counts.penalise(this.logits, sampling);
        if (constraint != null) forbid(constraint.allowed());
        float most = greatest(this.logits);
        if (!(most > Float.NEGATIVE_INFINITY && most < Float.POSITIVE_INFINITY)) {
            throw new IllegalStateException("the greatest logit is " + most + ": no token can be drawn");
        }
        int token = sampling.temperature() == 0 ? firstOf(most) : draw(most);

        float own = topLogprobs < 0
                ? Float.NaN
                : (float) (logits.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, token) - logNormaliser);
        accept(token);
        return new GeneratedToken(token, own, alternatives);
    }

    /** Whether nothing may follow: an end token was drawn, or the constraint is fulfilled and permits nothing more. */
    public boolean mustEnd() {
        return ended || (constraint != null && constraint.mustEnd());
    }

    /**
     * Tells a constraint how many tokens may still be drawn, the next one included, so that the answer is whole before they run out.
     *
     * @param tokens at least 1
     */
    public void setRemaining(int tokens) {
        if (constraint != null) constraint.setRemaining(tokens);
    }

    private void accept(int token) {
        if (counts != null) counts.generated(token);
        if (constraint != null) constraint.accept(token);
        ended = endTokens.contains(token);
    }

    private void addBias() {
        for (Map.Entry<Integer, Double> bias : sampling.logitBias().entrySet()) {
            int token = bias.getKey();
            logits[token] =
                    bias.getValue() <= -100 ? Float.NEGATIVE_INFINITY : (float) (logits[token] + bias.getValue());
        }
    }

    private void forbid(long[] allowed) {
        for (int word = 0, token = 0; token < logits.length; word++, token += Long.SIZE) {
            int end = Math.min(token + Long.SIZE, logits.length);
            long bits = word < allowed.length ? allowed[word] : 0; // a model may have ids beyond its vocabulary
            if (bits == 0) {
                Arrays.fill(logits, token, end, Float.NEGATIVE_INFINITY);
            } else if (bits != -1) {
                for (int t = token; t < end; t++, bits >>>= 1) {
                    if ((bits & 1) == 0) logits[t] = Float.NEGATIVE_INFINITY;
                }
            }
        }
    }

    private int firstOf(float logit) {
        for (int token = 0; token < logits.length; token++) {
            if (logits[token] == logit) return token;
        }
        throw new AssertionError("the greatest logit, " + logit + ", is not among the logits");
    }

    private int draw(float most) {
        candidates.collect(logits, most, sampling.temperature());
        if (sampling.topK() > 0) candidates.keepMost(sampling.topK());
        if (sampling.topP() < 1) candidates.keepMass(sampling.topP());
        if (sampling.minP() > 0) candidates.keepWeight(sampling.minP());
        return candidates.draw(random.nextDouble());
    }

    /** The {@code count} greatest logits by one pass with an insertion sort: after the first few hundred tokens hardly any is inserted. */
    private List<Alternative> mostLikely(int count, double logNormaliser) {
        int size = Math.min(count, logits.length);
        int[] best = new int[size];
        int filled = 0;
        for (int token = 0; token < logits.length; token++) {
            if (filled == size && logits[token] <= logits[best[size - 1]]) continue;
            int place = filled < size ? filled++ : size - 1;
            while (place > 0 && logits[best[place - 1]] < logits[token]) {
                best[place] = best[place - 1];
                place--;
            }
            best[place] = token;
        }
        List<Alternative> alternatives = new ArrayList<>(size);
        for (int token : best) alternatives.add(new Alternative(token, (float) (logits[token] - logNormaliser)));
        return alternatives;
    }

    /** NaN if any is NaN, which {@link Math#max} passes on. */
    private static float greatest(float[] values) {
        float most = Float.NEGATIVE_INFINITY;
        for (float value : values) most = Math.max(most, value);
        return most;
    }

    private static double logSumExp(float[] values) {
        float most = greatest(values);
        double sum = 0;
        for (float value : values) sum += Exp.ofNegative(value - most);
        return most + Math.log(sum);
    }

    /** How often each token occurred, for the penalties. */
    private static final class TokenCounts {
        private final int[] generated;
        /** Every token of prompt or answer, once. */
        private int[] seen = new int[64];

        private int seenSize;
        private final boolean[] isSeen;

        TokenCounts(int vocabularySize, int[] prompt) {
            generated = new int[vocabularySize];
            isSeen = new boolean[vocabularySize];
            for (int token : prompt) see(token);
        }

        void generated(int token) {
            generated[token]++;
            see(token);
        }

        private void see(int token) {
            if (isSeen[token]) return;
            isSeen[token] = true;
            if (seenSize == seen.length) seen = Arrays.copyOf(seen, 2 * seenSize);
            seen[seenSize++] = token;
        }

        void penalise(float[] logits, Sampling sampling) {
            for (int i = 0; i < seenSize; i++) {
                int token = seen[i];
                double logit = logits[token];
                logit = logit > 0 ? logit / sampling.repetitionPenalty() : logit * sampling.repetitionPenalty();
                if (generated[token] > 0) {
                    logit -= generated[token] * sampling.frequencyPenalty() + sampling.presencePenalty();
                }
                logits[token] = (float) logit;
            }
        }
    }

    /** The tokens that can still be drawn, in the order of their ids, with weights in proportion to their probabilities; the greatest weight is 1. */
    private static final class Candidates {
        private final int[] tokens;
        /** Nats below the most likely token. */
        private final float[] below;

        private final float[] weights;
        private int size;

        Candidates(int capacity) {
            tokens = new int[capacity];
            below = new float[capacity];
            weights = new float[capacity];
        }

        void collect(float[] logits, float most, double temperature) {
            float floor = (float) (most - NEGLIGIBLE_NATS * temperature);
            double scale = 1 / temperature;
            size = 0;
            for (int token = 0; token < logits.length; token++) {
                if (logits[token] < floor) continue;
                tokens[size] = token;
                below[size++] = (float) ((most - logits[token]) * scale);
            }
            for (int i = 0; i < size; i++) weights[i] = (float) Exp.ofNegative(-below[i]);
        }

        /** Top-k. */
        void keepMost(int count) {
            if (count < size) keepPrefix(count, true);
        }

        /** Top-p. */
        void keepMass(double share) {
            double total = 0;
            for (int i = 0; i < size; i++) total += weights[i];
            keepPrefix(share * total, false);
        }

        /** Min-p. */
        void keepWeight(double least) {
            int kept = 0;
            for (int i = 0; i < size; i++) {
                if (weights[i] >= least) move(i, kept++);
            }
            size = kept;
        }

        /**
         * Keeps the shortest prefix, in the order from the likeliest to the least likely and, among equals, of ids, that measures up to a limit.
         *
         * @param byCount whether a candidate measures 1, else its weight
         */
        private void keepPrefix(double limit, boolean byCount) {
            double[] bars = new double[BARS];
            for (int i = 0; i < size; i++) bars[bar(i)] += byCount ? 1 : weights[i];
            int border = 0;
            double measured = 0;
            while (border < BARS - 1 && measured + bars[border] < limit) measured += bars[border++];

            // Bits of a float that is not negative are in its own order; the index behind them keeps equals in the
            // order of their ids.
            long[] keys = new long[64];
            int inBar = 0;
            for (int i = 0; i < size; i++) {
                if (bar(i) != border) continue;
                if (inBar == keys.length) keys = Arrays.copyOf(keys, 2 * inBar);
                keys[inBar++] = (long) Float.floatToRawIntBits(below[i]) << Integer.SIZE | i;
            }
            Arrays.sort(keys, 0, inBar);
            long last = Long.MIN_VALUE; // the last one kept; nothing of this bar if the limit was reached before it
            for (int k = 0; k < inBar && measured < limit; k++) {
                last = keys[k];
                measured += byCount ? 1 : weights[(int) last];
            }

            int kept = 0;
            for (int i = 0; i < size; i++) {
                int bar = bar(i);
                if (bar < border
                        || (bar == border && ((long) Float.floatToRawIntBits(below[i]) << Integer.SIZE | i) <= last)) {
                    move(i, kept++);
                }
            }
            size = kept;
        }

        private int bar(int i) {
            return Math.min(BARS - 1, (int) (below[i] * (BARS / NEGLIGIBLE_NATS)));
        }

        private void move(int from, int to) {
            tokens[to] = tokens[from];
            below[to] = below[from];
            weights[to] = weights[from];
        }

        /** @param chance uniform over [0, 1) */
        int draw(double chance) {
            double total = 0;
            for (int i = 0; i < size; i++) total += weights[i];
            double rest = chance * total;
            for (int i = 0; i < size - 1; i++) {
                rest -= weights[i];
                if (rest < 0) return tokens[i];
            }
            return tokens[size - 1];
        }
    }

    /** The exponential function for what is never positive: a third of the time of {@link Math#exp}, which is called, not inlined. */
    private static final class Exp {
        private static final int BITS = 6;
        private static final double STEP = Math.log(2) / (1 << BITS);
        private static final double[] POWERS = new double[1 << BITS];

        static {
            for (int i = 0; i < POWERS.length; i++) POWERS[i] = Math.exp(i * STEP);
        }

        /**
         * e^x = 2^(k / 64) · e^r with |r| ≤ ln 2 / 128, where five terms of the series leave a relative error of r⁶ / 720 = 4·10⁻¹⁷.
         *
         * @param x at most 0; below −700 the result is 0
         */
        static double ofNegative(double x) {
            if (x < -700) return 0;
            int k = (int) (x * (1 / STEP) - .5);
            double r = x - k * STEP;
            double power = 1 + r * (1 + r * (1 / 2. + r * (1 / 6. + r * (1 / 24. + r * (1 / 120.)))));
            double powerOf2 = Double.longBitsToDouble((long) ((k >> BITS) + Double.MAX_EXPONENT) << 52);
            return powerOf2 * POWERS[k & (POWERS.length - 1)] * power;
        }
    }
}
