package io.guimo.commerce.account;

import io.guimo.units.KeyId;
import io.guimo.units.OrganizationId;
import io.guimo.units.ProjectId;
import java.time.Instant;
import java.util.Optional;

/**
 * A key as it is shown after it was issued; its secret is known to its holder alone.
 *
 * @param hint last four characters of the secret
 * @param createdAt by the organisation's clock
 * @param revokedAt by the organisation's clock
 * @param lastUsedAt by the world's clock, known up to a minute late
 */
public record ApiKey(
        KeyId id,
        OrganizationId organization,
        ProjectId project,
        Role role,
        String name,
        String hint,
        Instant createdAt,
        Optional<Instant> revokedAt,
        Optional<Instant> lastUsedAt) {}
