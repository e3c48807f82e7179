package io.guimo.model.decoder;

import java.util.Set;
import java.util.TreeSet;

/**
 * Low-rank adapters on some of a decoder's matrices (Hu et al. 2021, arXiv 2106.09685).
 *
 * @param rank r, 1 to 4096
 * @param alpha the update's weight is alpha / rank
 * @param dropout share of an adapted matrix's inputs hidden from the adapter in training
 * @param on last parts of the matrices' names, such as {@code q_proj}
 */
public record LoraSettings(int rank, double alpha, double dropout, Set<String> on) {
    public LoraSettings {
        if (rank < 1 || rank > 4096) throw new IllegalArgumentException("rank is " + rank + "; give 1 to 4096");
        if (!(alpha > 0 && alpha < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("alpha is " + alpha + "; give more than 0");
        }
        if (!(dropout >= 0 && dropout < 1)) {
            throw new IllegalArgumentException("dropout is " + dropout + "; give 0 to under 1");
        }
        if (on.isEmpty())
            throw new IllegalArgumentException("no matrix is named; give some, such as q_proj and v_proj");
        on = Set.copyOf(new TreeSet<>(on));
    }
}
