package io.guimo.model.decoder;

import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values of the tokens that sequences consist of so far, so that a step computes those of its own tokens only. One table of places for each
 * layer; a sequence is a list of places, and sequences that begin alike share them (as pages are shared in Kwon et al. 2023, arXiv 2309.06180, here
 * with pages of one token). Memory is taken from the system when a place is first written.
 *
 * <p>Used by one thread.
 */
public final class KeyValueCache implements AutoCloseable {
    private final TensorScope memory = TensorScope.owner();
    private final List<Tensor> keysCGD = new ArrayList<>(); // C places
    private final List<Tensor> valuesCGD = new ArrayList<>();
    private final Sequence[] sequences;
    private final int[] users; // of each place: how many sequences hold it
    private final BitSet taken = new BitSet();
    private final int capacity;
    private final int contextTokens;
    private int free;

    /** The places of one sequence's tokens, in their order. */
    private static final class Sequence {
        int[] places = new int[16];
        int length;

        void append(int place) {
            if (length == places.length) places = Arrays.copyOf(places, 2 * length);
            places[length++] = place;
        }
    }

    /**
     * @param sequences most sequences at a time
     * @param tokens most tokens of all sequences together; shared ones count once
     * @param type as the network's parameters
     */
    public KeyValueCache(DecoderConfig config, int sequences, int tokens, DType type) {
        if (sequences < 1 || tokens < 1) {
            throw new IllegalArgumentException(
                    "a cache needs room for at least 1 sequence and 1 token, not " + sequences + " and " + tokens);
        }
        this.capacity = tokens;
        this.free = tokens;
        this.contextTokens = config.contextTokens();
        this.users = new int[tokens];
        this.sequences =
                IntStream.range(0, sequences).mapToObj(_ -> new Sequence()).toArray(Sequence[]::new);
        for (int layer = 0; layer < config.layers(); layer++) {
            keysCGD.add(memory.adopt(Tensor.uninitialised(type, tokens, config.keyValueHeads(), config.headSize())));
            valuesCGD.add(memory.adopt(Tensor.uninitialised(type, tokens, config.keyValueHeads(), config.headSize())));
        }
    }

    /** Bytes that a token takes in all layers. */
    public static long bytesPerToken(DecoderConfig config, DType type) {
        return 2L * config.layers() * config.keyValueHeads() * config.headSize() * type.bytes();
    }

    public int maxSequences() {
        return sequences.length;
    }

    /** Room for tokens, taken or not. */
    public int capacity() {
        return capacity;
    }

    /** Room that is not taken. */
    public int free() {
        return free;
    }

    /** Tokens of a sequence so far. */
    public int length(int sequence) {
        return sequences[sequence].length;
    }

    /**
     * Lets a sequence that holds nothing begin with another one's first tokens. Takes no room.
     *
     * @throws IllegalArgumentException when it holds something, or the other one less than that
     */
    public void share(int from, int to, int tokens) {
        Sequence source = sequences[from];
        Sequence target = sequences[to];
        if (target.length != 0) {
            throw new IllegalArgumentException(
                    "sequence " + to + " holds " + target.length + " tokens; only an empty one can share");
        }
        if (tokens < 0 || tokens > source.length) {
            throw new IllegalArgumentException(
                    "sequence " + from + " holds " + source.length + " tokens, not " + tokens + " to share");
        }
        for (int i = 0; i < tokens; i++) {
            users[source.places[i]]++;
            target.append(source.places[i]);
        }
    }

    /** Drops a sequence's tokens from a position on; 0: all. */
    public void forget(int sequence, int fromPosition) {
        Sequence dropped = sequences[sequence];
        while (dropped.length > Math.max(0, fromPosition)) release(dropped.places[--dropped.length]);
    }

    @Override
    public void close() {
        memory.close();
    }

    private void release(int place) {
        if (--users[place] == 0) {
            taken.clear(place);
            free++;
        }
    }

    /** Takes places for a step's tokens; until {@link Staged#commit} they can be given back. */
    Staged stage(DecoderStep step) {
        if (step.size() > free) throw new CacheFull(step.size(), free);
        int[] lengths = new int[sequences.length];
        for (int s = 0; s < sequences.length; s++) lengths[s] = sequences[s].length;
        for (int i = 0; i < step.size(); i++) {
            int sequence = step.sequences()[i];
            if (sequence < 0 || sequence >= sequences.length) {
                throw new IllegalArgumentException(
                        "there is no sequence " + sequence + "; there are 0 to " + (sequences.length - 1));
            }
            if (step.position(i) != lengths[sequence]) {
                throw new IllegalArgumentException("token " + i + " of the step stands at " + step.position(i)
                        + " of sequence " + sequence + ", whose next position is " + lengths[sequence]);
            }
            if (step.position(i) >= contextTokens) {
                throw new IllegalArgumentException(
                        "sequence " + sequence + " is longer than the context of " + contextTokens + " tokens");
            }
            lengths[sequence]++;
        }
        return new Staged(step);
    }

    /** The queries of one sequence in a step, and the places of the keys they see. */
    private record Run(
            int begin, int queries, Places places, @Nullable Tensor maskTS) {}

    /** Places of a sequence's keys: mostly one behind the other, so that nothing has to be gathered. */
    private record Places(int first, int count, @Nullable Tensor scattered) {
        static Places of(Sequence sequence) {
            int[] places = Arrays.copyOf(sequence.places, sequence.length);
            boolean consecutive = IntStream.range(1, places.length).allMatch(i -> places[i] == places[i - 1] + 1);
            return new Places(places[0], places.length, consecutive ? null : Tensor.of(places, places.length));
        }

        /** [1, S, G, D] */
        Tensor of(Tensor tableCGD) {
            Tensor rowsSGD = scattered == null ? tableCGD.narrow(0, first, count) : tableCGD.rows(scattered);
            return rowsSGD.reshape(1, count, tableCGD.size(1), tableCGD.size(2));
        }
    }

    /** A step under way: its tokens ordered by sequence, their places taken. */
    final class Staged implements Attention, AutoCloseable {
        private final DecoderStep step;
        private final int[] order; // index in the step of each token, ordered by sequence
        private final int[] lengthsBefore;
        private final Tensor placesN;
        private final List<Run> runs = new ArrayList<>();
        private boolean committed;

        private Staged(DecoderStep step) {
            this.step = step;
            lengthsBefore = Arrays.stream(sequences).mapToInt(s -> s.length).toArray();
            order = IntStream.range(0, step.size())
                    .boxed()
                    .sorted((a, b) -> Integer.compare(step.sequences()[a], step.sequences()[b])) // stable
                    .mapToInt(Integer::intValue)
                    .toArray();
            int[] places = new int[order.length];
            int place = 0;
            for (int i = 0; i < order.length; i++) {
                place = taken.nextClearBit(place);
                taken.set(place);
                users[place] = 1;
                free--;
                sequences[step.sequences()[order[i]]].append(place);
                places[i] = place;
            }
            try {
                placesN = Tensor.of(places, places.length);
                for (int i = 0; i < order.length; ) {
                    int sequence = step.sequences()[order[i]];
                    int queries = sequences[sequence].length - lengthsBefore[sequence];
                    Tensor maskTS = queries == 1 ? null : Attention.causalMask(lengthsBefore[sequence], queries);
                    runs.add(new Run(i, queries, Places.of(sequences[sequence]), maskTS));
                    i += queries;
                }
            } catch (RuntimeException refused) {
                close();
                throw refused;
            }
        }

        /** A property of the step's tokens, by sequence. */
        int[] inOrder(IntUnaryOperator property) {
            return Arrays.stream(order).map(property).toArray();
        }

        /** Where the tokens that want logits stand in the order by sequence, in the order of the step. */
        int[] wanted() {
            int[] rank = new int[order.length];
            for (int i = 0; i < order.length; i++) rank[order[i]] = i;
            return IntStream.range(0, order.length)
                    .filter(i -> step.wantsLogits()[i])
                    .map(i -> rank[i])
                    .toArray();
        }

        @Override
        public Tensor attend(int layer, Tensor queriesBTHD, Tensor keysBTGD, Tensor valuesBTGD, double dropout) {
            Tensor keyTableCGD = keysCGD.get(layer);
            Tensor valueTableCGD = valuesCGD.get(layer);
            long g = keysBTGD.size(2);
            long d = keysBTGD.size(3);
            keyTableCGD.putRowsInPlace(placesN, keysBTGD.reshape(order.length, g, d));
            valueTableCGD.putRowsInPlace(placesN, valuesBTGD.reshape(order.length, g, d));
            List<Tensor> mixed = new ArrayList<>(runs.size());
            for (Run run : runs) {
                mixed.add(Attention.weigh(
                        queriesBTHD.narrow(1, run.begin, run.queries),
                        run.places.of(keyTableCGD),
                        run.places.of(valueTableCGD),
                        run.maskTS,
                        0));
            }
            return mixed.size() == 1 ? mixed.getFirst() : Tensor.concatenate(mixed, 1);
        }

        void commit() {
            committed = true;
        }

        /** Gives the places back, unless the step was evaluated. */
        @Override
        public void close() {
            if (committed) return;
            for (int s = 0; s < sequences.length; s++) forget(s, lengthsBefore[s]);
        }
    }
}
