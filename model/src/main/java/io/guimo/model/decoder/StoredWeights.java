package io.guimo.model.decoder;

import io.guimo.tensor.Tensor;
import java.util.Map;

/** A file's tensors under the names that transformers gives them. */
public interface StoredWeights {
    /** What there is, known before anything of it is read. */
    Map<String, long[]> shapes();

    /**
     * @param name one of {@link #shapes}
     * @return of whatever floating type the file has
     */
    Tensor read(String name);
}
