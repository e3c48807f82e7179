package io.guimo.model.decoder;

import io.guimo.model.Part;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Parts of one kind, one above the other, named 0, 1 … */
final class Layers<L extends Part> extends Part {
    private final List<L> layers;

    Layers(int count, IntFunction<L> make) {
        layers = IntStream.range(0, count)
                .mapToObj(i -> part(Integer.toString(i), make.apply(i)))
                .toList();
    }

    List<L> list() {
        return layers;
    }
}
