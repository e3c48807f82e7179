package io.guimo.commerce.account;

import io.guimo.units.OrganizationId;
import io.guimo.units.ProjectId;
import java.time.Instant;

/** A part of an organisation to which keys and usage belong. */
public record Project(ProjectId id, OrganizationId organization, String name, Instant createdAt) {
    public Project {
        Names.check("project", name);
    }
}
