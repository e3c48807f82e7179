package io.guimo.model.decoder;

import java.util.ArrayList;
import java.util.List;

/** A step that grows token by token. */
final class Steps {
    private record Entry(int token, int position, int sequence, boolean wantsLogits) {}

    private final List<Entry> entries = new ArrayList<>();

    Steps add(int token, int position, int sequence, boolean wantsLogits) {
        entries.add(new Entry(token, position, sequence, wantsLogits));
        return this;
    }

    int size() {
        return entries.size();
    }

    int sequence(int index) {
        return entries.get(index).sequence;
    }

    int position(int index) {
        return entries.get(index).position;
    }

    DecoderStep toStep() {
        boolean[] wanted = new boolean[entries.size()];
        for (int i = 0; i < wanted.length; i++) wanted[i] = entries.get(i).wantsLogits;
        return new DecoderStep(
                entries.stream().mapToInt(Entry::token).toArray(),
                entries.stream().mapToInt(Entry::position).toArray(),
                entries.stream().mapToInt(Entry::sequence).toArray(),
                wanted);
    }
}
