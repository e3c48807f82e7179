package io.guimo.units;

/** A part of an organisation to which keys and usage belong. */
public record ProjectId(String value) {
    public ProjectId {
        if (!value.startsWith("proj_") || value.length() > 64) {
            throw new IllegalArgumentException("not an id of the form proj_…: " + value);
        }
    }

    public static ProjectId next() {
        return new ProjectId(Ids.next("proj"));
    }

    @Override
    public String toString() {
        return value;
    }
}
