package io.guimo.model.decoder;

/** How rotations are slowed so that a network reads further than it was trained for at first. */
public sealed interface RotaryScaling {
    /** Not at all. */
    record None() implements RotaryScaling {}

    /** All alike (Chen et al. 2023, arXiv 2306.15595). */
    record Linear(double factor) implements RotaryScaling {
        public Linear {
            if (!(factor >= 1))
                throw new IllegalArgumentException("the rotary factor is " + factor + "; give 1 or more");
        }
    }

    /**
     * Slow rotations by the factor, fast ones not at all, those between in part (Llama 3.1; transformers, {@code modeling_rope_utils.py}).
     *
     * @param originalContext tokens that the network was trained on at first
     */
    record Llama3(double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalContext)
            implements RotaryScaling {
        public Llama3 {
            if (!(factor >= 1))
                throw new IllegalArgumentException("the rotary factor is " + factor + "; give 1 or more");
            if (!(highFrequencyFactor > lowFrequencyFactor && lowFrequencyFactor > 0) || originalContext < 1) {
                throw new IllegalArgumentException("llama3's rotary factors " + lowFrequencyFactor + " and "
                        + highFrequencyFactor + " over " + originalContext + " tokens do not rise from above 0");
            }
        }
    }

    /** A frequency in radians per token, scaled. */
    default double scale(double frequency) {
        return switch (this) {
            case None _ -> frequency;
            case Linear(double factor) -> frequency / factor;
            case Llama3(double factor, double low, double high, int originalContext) -> {
                double turns = originalContext * frequency / (2 * Math.PI); // within the context of the training
                double kept = Math.clamp((turns - low) / (high - low), 0, 1);
                yield (1 - kept) * frequency / factor + kept * frequency;
            }
        };
    }
}
