package io.guimo.units;

/** The public name of an API key; its secret is never an id. */
public record KeyId(String value) {
    public KeyId {
        if (!value.startsWith("key_") || value.length() > 64) {
            throw new IllegalArgumentException("not an id of the form key_…: " + value);
        }
    }

    public static KeyId next() {
        return new KeyId(Ids.next("key"));
    }

    @Override
    public String toString() {
        return value;
    }
}
