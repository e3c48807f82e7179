package io.guimo.registry;

import io.guimo.units.OrganizationId;

/** Whom a model belongs to: a key sees the operator's models and those of its own organisation. */
public sealed interface ModelOwner permits ModelOwner.Operator, ModelOwner.Organization {
    /** Who runs this installation; its models are visible to every organisation that a plan gives them. */
    record Operator() implements ModelOwner {}

    /** One customer; nobody else learns that the model exists. */
    record Organization(OrganizationId id) implements ModelOwner {}

    static ModelOwner operator() {
        return new Operator();
    }

    /** Whether a caller of this organisation may learn of the model. */
    default boolean visibleTo(OrganizationId organization) {
        return switch (this) {
            case Operator() -> true;
            case Organization(OrganizationId id) -> id.equals(organization);
        };
    }
}
