package io.guimo.inference.generate;

import org.junit.jupiter.api.Nested;

/** The decoder that the scheduler is tested with keeps the contract itself. */
final class FakeDecoderTest {
    @Nested
    final class SharedOnce extends DecoderBackendContract {
        @Override
        protected DecoderBackend open(int contextTokens, int maxSequences, int cacheTokens, int maxBatch) {
            return new FakeDecoder(contextTokens, maxSequences, cacheTokens, maxBatch, true);
        }

        @Override
        protected double tolerance() {
            return 0;
        }
    }

    @Nested
    final class Copied extends DecoderBackendContract {
        @Override
        protected DecoderBackend open(int contextTokens, int maxSequences, int cacheTokens, int maxBatch) {
            return new FakeDecoder(contextTokens, maxSequences, cacheTokens, maxBatch, false);
        }

        @Override
        protected double tolerance() {
            return 0;
        }
    }
}
