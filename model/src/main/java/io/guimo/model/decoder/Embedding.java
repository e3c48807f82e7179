package io.guimo.model.decoder;

import io.guimo.model.Module;
import io.guimo.tensor.Tensor;

/** A row of features for each token or place; turned round, a score for each token. */
final class Embedding extends Module {
    private final Tensor weightVE;

    Embedding(Initial initial, int rows, int features, double deviation) {
        weightVE = parameter("weight", initial.normal(deviation, rows, features));
    }

    /**
     * @param indices INT64, […]
     * @return […, E]
     */
    @Override
    public Tensor forward(Tensor indices) {
        return weightVE.embed(indices);
    }

    /** The table as the output's matrix (Press and Wolf 2017, arXiv 1608.05859): […, E] to […, V]. */
    Tensor scores(Tensor hidden) {
        return hidden.linear(weightVE, null);
    }
}
