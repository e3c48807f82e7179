package io.guimo.commerce.price;

import io.guimo.units.OrganizationId;
import java.time.Instant;

/**
 * That an organisation is on a plan, until its next subscription starts.
 *
 * @param startsAt by the organisation's clock
 */
public record Subscription(String id, OrganizationId organization, String plan, Instant startsAt) {}
