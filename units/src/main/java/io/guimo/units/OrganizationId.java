package io.guimo.units;

/** A customer, or the operator itself. */
public record OrganizationId(String value) {
    public OrganizationId {
        if (!value.startsWith("org_") || value.length() > 64) {
            throw new IllegalArgumentException("not an id of the form org_…: " + value);
        }
    }

    public static OrganizationId next() {
        return new OrganizationId(Ids.next("org"));
    }

    @Override
    public String toString() {
        return value;
    }
}
