package io.guimo.serve.admin;

import io.guimo.commerce.Commerce;
import io.guimo.commerce.account.ApiKey;
import io.guimo.commerce.account.IssuedKey;
import io.guimo.commerce.account.Keys;
import io.guimo.commerce.account.NewOrganization;
import io.guimo.commerce.account.Organization;
import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.account.Project;
import io.guimo.commerce.account.Role;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Listing;
import io.guimo.serve.http.Route;
import io.guimo.units.KeyId;
import io.guimo.units.OrganizationId;
import io.guimo.units.ProjectId;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Currency;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Organisations, their clocks, projects and keys. */
final class OrganizationRoutes {
    private static final String GROUP = "Organizations";
    private static final long BODY_LIMIT = 64 * 1024;
    private static final String ALL = "/admin/v1/organizations";
    private static final String ONE = ALL + "/{organization}";
    private final Commerce commerce;
    private final Organizations organizations;
    private final Keys keys;

    OrganizationRoutes(Commerce commerce) {
        this.commerce = commerce;
        organizations = commerce.organizations();
        keys = commerce.keys();
    }

    List<Route> routes() {
        return List.of(
                Route.get(
                        ALL,
                        Access.OWNER,
                        Route.About.of("listOrganizations", GROUP, "All organisations, the operator's included")
                                .list(OrganizationView.class),
                        e -> Content.json(Listing.of(organizations.list(Listing.cursor(e)), this::view))),
                Route.post(
                        ALL,
                        Access.OWNER,
                        BODY_LIMIT,
                        Route.About.of(
                                        "createOrganization",
                                        GROUP,
                                        "Makes an organisation with a project named default")
                                .request(OrganizationRequest.class)
                                .answer(OrganizationView.class),
                        this::create),
                Route.get(
                        ONE,
                        Access.OWNER,
                        Route.About.of("getOrganization", GROUP, "An organisation")
                                .answer(OrganizationView.class),
                        e -> Content.json(view(existing(e)))),
                Route.post(
                        ONE + "/clock",
                        Access.OWNER,
                        BODY_LIMIT,
                        Route.About.of(
                                        "turnClock",
                                        GROUP,
                                        "Turns a sandbox organisation's clock forward and does what is due by then")
                                .request(ClockRequest.class)
                                .answer(OrganizationView.class),
                        e -> Answers.of(
                                commerce.turnClock(
                                        Answers.organization(e),
                                        e.json(ClockRequest.class).to(),
                                        Answers.commandKey(e)),
                                this::view)),
                Route.get(
                        ONE + "/projects",
                        Access.OWNER,
                        Route.About.of("listProjects", GROUP, "An organisation's projects")
                                .list(ProjectView.class),
                        e -> Content.json(Listing.of(
                                organizations.projects(existing(e).id(), Listing.cursor(e)), ProjectView::of))),
                Route.post(
                        ONE + "/projects",
                        Access.OWNER,
                        BODY_LIMIT,
                        Route.About.of("createProject", GROUP, "Makes a project")
                                .request(ProjectRequest.class)
                                .answer(ProjectView.class),
                        this::createProject),
                Route.get(
                        ONE + "/keys",
                        Access.OWNER,
                        Route.About.of("listKeys", "Keys", "An organisation's keys, revoked ones included")
                                .list(KeyView.class),
                        e -> Content.json(Listing.of(keys.list(existing(e).id(), Listing.cursor(e)), KeyView::of))),
                Route.post(
                        ONE + "/keys",
                        Access.OWNER,
                        BODY_LIMIT,
                        Route.About.of(
                                        "issueKey",
                                        "Keys",
                                        "Issues a key; its secret is in this answer and nowhere else, nor in a repetition of it")
                                .request(KeyRequest.class)
                                .answer(IssuedKeyView.class),
                        this::issueKey),
                Route.delete(
                        ONE + "/keys/{key}",
                        Access.OWNER,
                        Route.About.of("revokeKey", "Keys", "Revokes a key, on all servers within a second")
                                .answer(KeyView.class),
                        e -> Answers.of(
                                keys.revoke(Answers.organization(e), Answers.id(e, "key", KeyId::new)), KeyView::of)));
    }

    private Organization existing(Exchange exchange) {
        OrganizationId id = Answers.organization(exchange);
        return organizations.find(id).orElseThrow(() -> Answers.notFound("organization", id.value()));
    }

    private Answer create(Exchange exchange) {
        OrganizationRequest wanted = exchange.json(OrganizationRequest.class);
        ZoneId zone = Answers.checked("zone", () -> ZoneId.of(wanted.zone()));
        Currency currency = Answers.checked("currency", () -> currency(wanted.currency()));
        NewOrganization made = Answers.checked(
                "name",
                () -> new NewOrganization(wanted.name(), Boolean.TRUE.equals(wanted.sandbox()), zone, currency));
        return Answers.of(organizations.create(made, Answers.commandKey(exchange)), this::view);
    }

    static Currency currency(String code) {
        try {
            return Currency.getInstance(code);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "'" + code + "' is no ISO 4217 currency; write one such as CNY or USD", e);
        }
    }

    private Answer createProject(Exchange exchange) {
        Organization organization = existing(exchange);
        String name = exchange.json(ProjectRequest.class).name();
        return Answers.of(
                Answers.checked(
                        "name",
                        () -> organizations.createProject(organization.id(), name, Answers.commandKey(exchange))),
                ProjectView::of);
    }

    private Answer issueKey(Exchange exchange) {
        Organization organization = existing(exchange);
        KeyRequest wanted = exchange.json(KeyRequest.class);
        String named = wanted.project();
        ProjectId project = named == null
                ? organizations.defaultProject(organization.id()).id()
                : Answers.checked("project", () -> new ProjectId(named));
        Role role = wanted.role() == null ? Role.CUSTOMER : wanted.role();
        return Answers.of(
                Answers.checked(
                        "name",
                        () -> keys.issue(
                                organization.id(), project, role, wanted.name(), Answers.commandKey(exchange))),
                IssuedKeyView::of);
    }

    private OrganizationView view(Organization organization) {
        return new OrganizationView(
                organization.id(),
                organization.name(),
                organizations
                        .operator()
                        .filter(o -> o.id().equals(organization.id()))
                        .isPresent(),
                organization.sandbox(),
                organization.zone().getId(),
                organization.currency().getCurrencyCode(),
                organizations.now(organization.id()),
                organization.createdAt());
    }

    /**
     * @param sandbox whether it is a trial whose clock can be turned; false unless given
     * @param zone such as {@code Asia/Shanghai}
     * @param currency ISO 4217, such as {@code CNY}
     */
    record OrganizationRequest(String name, @Nullable Boolean sandbox, String zone, String currency) {}

    /**
     * @param operator whether it runs this service
     * @param clock what the organisation's clock shows
     */
    record OrganizationView(
            OrganizationId id,
            String name,
            boolean operator,
            boolean sandbox,
            String zone,
            String currency,
            Instant clock,
            Instant createdAt) {}

    record ClockRequest(Instant to) {}

    record ProjectRequest(String name) {}

    record ProjectView(ProjectId id, OrganizationId organization, String name, Instant createdAt) {
        static ProjectView of(Project project) {
            return new ProjectView(project.id(), project.organization(), project.name(), project.createdAt());
        }
    }

    /**
     * @param project id of one of the organisation's projects; its first one unless given
     * @param role {@code customer} unless given
     */
    record KeyRequest(
            String name, @Nullable String project, @Nullable Role role) {}

    /** @param hint the secret's last characters */
    record KeyView(
            KeyId id,
            OrganizationId organization,
            ProjectId project,
            Role role,
            String name,
            String hint,
            Instant createdAt,
            @Nullable Instant revokedAt,
            @Nullable Instant lastUsedAt) {
        static KeyView of(ApiKey key) {
            return new KeyView(
                    key.id(),
                    key.organization(),
                    key.project(),
                    key.role(),
                    key.name(),
                    key.hint(),
                    key.createdAt(),
                    key.revokedAt().orElse(null),
                    key.lastUsedAt().orElse(null));
        }
    }

    /** @param secret null when the command was sent before: it is not kept */
    record IssuedKeyView(KeyView key, @Nullable String secret) {
        static IssuedKeyView of(IssuedKey issued) {
            return new IssuedKeyView(KeyView.of(issued.key()), issued.secret().orElse(null));
        }

        @Override
        public String toString() {
            return "IssuedKeyView[" + key.id() + "]";
        }
    }
}
