package io.guimo.inference.generate;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which states the backend holds, of whom, and how much room is left. A state runs while its sequence does; then it is parked, as long as nobody needs
 * its room, for a sequence of the same scope that begins alike. Used by the step thread.
 *
 * <p>Mirrors the backend's cells one by one, so that what is shared is counted as the backend counts it, and evaluation never meets a full cache.
 */
final class StateCache {
    /** The state of one sequence: of the tokens evaluated so far. */
    static final class State {
        /** The backend's number for it. */
        final int id;

        private final String scope;
        private int[] tokens = new int[64];
        private int[] cells = new int[64];
        private int size;
        private boolean running = true;

        private State(int id, String scope) {
            this.id = id;
            this.scope = scope;
        }

        /** Positions evaluated. */
        int size() {
            return size;
        }

        private void add(int token, int cell) {
            if (size == tokens.length) {
                tokens = Arrays.copyOf(tokens, 2 * size);
                cells = Arrays.copyOf(cells, 2 * size);
            }
            tokens[size] = token;
            cells[size++] = cell;
        }

        private int common(int[] others, int length) {
            int most = Math.min(size, length);
            int mismatch = Arrays.mismatch(tokens, 0, most, others, 0, most);
            return mismatch < 0 ? most : mismatch;
        }
    }

    /**
     * The longest beginning that is there already.
     *
     * @param source whose; null: nobody's
     * @param size positions
     */
    record Prefix(@Nullable State source, int size) {}

    private final DecoderBackend backend;
    private final boolean once;
    private final int mostParked;
    /** Of each cell, how many states have it. */
    private final int[] owners;
    /** How many of them run. */
    private final int[] runners;

    private final int[] freeCells;
    private int freeCellCount;
    /** Cells of states that run. */
    private int pinned;

    private final ArrayDeque<Integer> freeIds = new ArrayDeque<>();
    private final List<State> running = new ArrayList<>();
    /** The least recently used one first. */
    private final LinkedHashSet<State> parked = new LinkedHashSet<>();

    private int parkedPositions;

    /** @param mostParked positions of all parked states together */
    StateCache(DecoderBackend backend, int mostParked) {
        this.backend = backend;
        this.once = backend.countsSharedOnce();
        this.mostParked = mostParked;
        int cells = backend.cacheTokens();
        owners = new int[cells];
        runners = new int[cells];
        freeCells = new int[cells];
        for (int cell = 0; cell < cells; cell++) freeCells[cell] = cell;
        freeCellCount = cells;
        for (int id = 0; id < backend.maxSequences(); id++) freeIds.add(id);
    }

    int capacity() {
        return owners.length;
    }

    /** Cells that are free or would be, if nothing were parked. */
    int room() {
        return owners.length - pinned;
    }

    int used() {
        return owners.length - freeCellCount;
    }

    int parkedPositions() {
        return parkedPositions;
    }

    /** @return what of a scope's sequence need not be evaluated; never all of it, since the logits after its last token are wanted */
    Prefix find(String scope, int[] tokens, int length) {
        Prefix best = new Prefix(null, 0);
        for (State state : running) best = better(best, state, scope, tokens, length);
        for (State state : parked) best = better(best, state, scope, tokens, length);
        return best;
    }

    private static Prefix better(Prefix best, State state, String scope, int[] tokens, int length) {
        if (!state.scope.equals(scope)) return best;
        int common = state.common(tokens, length - 1);
        return common > best.size() ? new Prefix(state, common) : best;
    }

    /** How many cells fewer than its length a sequence takes from {@link #room} if it begins with this prefix. */
    int pinned(Prefix prefix) {
        if (!once || prefix.source() == null) return 0;
        int count = 0;
        for (int i = 0; i < prefix.size(); i++) if (runners[prefix.source().cells[i]] > 0) count++;
        return count;
    }

    /**
     * A state that runs and begins with a prefix. A parked source is taken over if nothing of it is lost, or there is no room for two.
     *
     * @throws IllegalStateException if every sequence of the backend runs
     */
    State take(String scope, Prefix prefix) {
        State source = prefix.source();
        if (source == null) return begin(scope);
        boolean wasParked = parked.remove(source); // making room must not take it away
        if (wasParked && (source.size == prefix.size() || !canBegin() || !canCopy(prefix.size()))) {
            return revive(source, prefix.size());
        }
        if (!canCopy(prefix.size())) return begin(scope);
        State state = begin(scope);
        backend.share(source.id, state.id, prefix.size());
        for (int i = 0; i < prefix.size(); i++) {
            if (once) own(state, source.tokens[i], source.cells[i]);
            else own(state, source.tokens[i], freeCells[--freeCellCount]);
        }
        if (wasParked) parked.add(source);
        return state;
    }

    private boolean canBegin() {
        return !freeIds.isEmpty() || !parked.isEmpty();
    }

    private boolean canCopy(int positions) {
        return once || makeRoom(positions);
    }

    private State begin(String scope) {
        if (freeIds.isEmpty()) {
            if (parked.isEmpty()) throw new IllegalStateException("every sequence of the backend runs");
            drop(parked.getFirst());
        }
        State state = new State(freeIds.remove(), scope);
        running.add(state);
        return state;
    }

    /** @param source was taken out of {@link #parked} */
    private State revive(State source, int size) {
        parkedPositions -= source.size;
        source.running = true;
        running.add(source);
        for (int i = 0; i < source.size; i++) run(source.cells[i]);
        if (size < source.size) {
            backend.forget(source.id, size);
            while (source.size > size) disown(source);
        }
        return source;
    }

    /** Has so many cells be free, at the expense of parked states; false if not even that is enough. */
    boolean makeRoom(int cells) {
        if (freeCellCount >= cells) return true;
        if (room() < cells) return false;
        while (freeCellCount < cells && !parked.isEmpty()) drop(parked.getFirst());
        return freeCellCount >= cells;
    }

    /** Tokens were evaluated; there was room for them. */
    void evaluated(State state, int[] tokens, int from, int count) {
        for (int i = from; i < from + count; i++) own(state, tokens[i], freeCells[--freeCellCount]);
    }

    /** The sequence runs no more; its state may be of use. */
    void park(State state) {
        if (state.size == 0 || state.size > mostParked) {
            drop(state);
            return;
        }
        // Of two states where one begins with all of the other, the longer one is enough.
        for (State other : List.copyOf(parked)) {
            if (!other.scope.equals(state.scope)) continue;
            int common = other.common(state.tokens, state.size);
            if (common == state.size) {
                drop(state);
                parked.remove(other);
                parked.add(other);
                return;
            }
            if (common == other.size) drop(other);
        }
        running.remove(state);
        state.running = false;
        for (int i = 0; i < state.size; i++) rest(state.cells[i]);
        parked.add(state);
        parkedPositions += state.size;
        while (parkedPositions > mostParked) drop(parked.getFirst());
    }

    /** Forgets a state. */
    void drop(State state) {
        if (!state.running) parkedPositions -= state.size;
        if (state.size > 0) backend.forget(state.id, 0);
        while (state.size > 0) disown(state);
        (state.running ? running : parked).remove(state);
        freeIds.add(state.id);
    }

    private void own(State state, int token, int cell) {
        owners[cell]++;
        run(cell);
        state.add(token, cell);
    }

    private void disown(State state) {
        int cell = state.cells[--state.size];
        if (state.running) rest(cell);
        if (--owners[cell] == 0) freeCells[freeCellCount++] = cell;
    }

    private void run(int cell) {
        if (runners[cell]++ == 0) pinned++;
    }

    private void rest(int cell) {
        if (--runners[cell] == 0) pinned--;
    }
}
