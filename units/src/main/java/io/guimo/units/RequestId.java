package io.guimo.units;

/** One request, from the door to its receipt. */
public record RequestId(String value) {
    public RequestId {
        if (!value.startsWith("req_") || value.length() > 64) {
            throw new IllegalArgumentException("not an id of the form req_…: " + value);
        }
    }

    public static RequestId next() {
        return new RequestId(Ids.next("req"));
    }

    @Override
    public String toString() {
        return value;
    }
}
