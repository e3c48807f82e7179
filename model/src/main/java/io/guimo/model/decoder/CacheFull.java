package io.guimo.model.decoder;

/** A step needs more room in the cache of keys and values than there is. */
public final class CacheFull extends RuntimeException {
    private static final long serialVersionUID = 1;

    CacheFull(int needed, int free) {
        super("the step needs room for " + needed + " tokens, the cache has room for " + free
                + ": forget a sequence first");
    }
}
