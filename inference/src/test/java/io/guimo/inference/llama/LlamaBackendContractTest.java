package io.guimo.inference.llama;

import io.guimo.inference.generate.DecoderBackend;
import io.guimo.inference.generate.NetworkBackendContract;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** llama.cpp with SmolLM2, whose activations are rounded to 8 bits: another order of sums moves an answer by some thousandths of a nat. */
class LlamaBackendContractTest extends NetworkBackendContract {
    private static LlamaModel model;

    @BeforeAll
    static void load() throws IOException {
        model = new LlamaModel(LlamaLibrary.open(LlamaParts.llamaCpp()), LlamaParts.smolLm2(), fraction -> {});
    }

    @AfterAll
    static void free() {
        model.close();
    }

    @Override
    protected DecoderBackend backend(int cacheTokens, int maxSequences) throws IOException {
        return new LlamaBackend(model, new LlamaSettings(CONTEXT, cacheTokens, maxSequences, BATCH, 1), null);
    }

    @Override
    protected double tolerance() {
        return .02;
    }

    @Override
    protected double otherwise() {
        return .1;
    }
}
