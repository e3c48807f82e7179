package io.guimo.serve.http;

/** Who may call a route. */
public enum Access {
    /** Anybody. */
    PUBLIC,
    /** Any valid key; the answer shows the key's own organisation only. */
    KEY,
    /** The owner's key. */
    OWNER
}
