package io.guimo.commerce.account;

import io.guimo.units.KeyId;
import io.guimo.units.OrganizationId;
import io.guimo.units.ProjectId;

/** On whose behalf a request runs. */
public record Caller(KeyId key, OrganizationId organization, ProjectId project, Role role) {}
