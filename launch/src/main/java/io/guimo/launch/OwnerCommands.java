package io.guimo.launch;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/** The owner's API from the command line: each class is one noun, each method one verb, and {@code --json} prints the server's answer as it is. */
final class OwnerCommands {
    private OwnerCommands() {}

    /** What every noun shares. */
    abstract static class Noun {
        @ParentCommand
        Main main = new Main();

        @Spec
        @Nullable
        CommandSpec spec;

        @Option(
                names = "--json",
                scope = picocli.CommandLine.ScopeType.INHERIT,
                description = "Print the server's answer as JSON.")
        boolean json;

        PrintWriter out() {
            return java.util.Objects.requireNonNull(spec).commandLine().getOut();
        }

        void list(String path, Map<String, String> query, String... columns) throws IOException, InterruptedException {
            try (OwnerClient client = OwnerClient.of(main.options.home())) {
                JsonNode page = client.get(path, query);
                if (json) {
                    show(page);
                    return;
                }
                if (page.path("data").isEmpty()) out().println("  (none)");
                else Table.of(page.path("data"), columns).print(out());
                if (page.path("has_more").asBoolean(false)) {
                    out().println("  … more: --after "
                            + page.path("next_cursor").asString());
                }
            }
        }

        void get(String path) throws IOException, InterruptedException {
            try (OwnerClient client = OwnerClient.of(main.options.home())) {
                show(client.get(path, Map.of()));
            }
        }

        void post(String path, Object body) throws IOException, InterruptedException {
            try (OwnerClient client = OwnerClient.of(main.options.home())) {
                show(client.post(path, body));
            }
        }

        void show(JsonNode answer) {
            out().println(answer.toPrettyString());
        }
    }

    private static Map<String, String> query(@Nullable String... namesAndValues) {
        Map<String, String> query = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            String name = namesAndValues[i];
            String value = namesAndValues[i + 1];
            if (name != null && value != null) query.put(name, value);
        }
        return query;
    }

    @Command(
            name = "org",
            description = "Organisations: the customers and the operator itself.",
            mixinStandardHelpOptions = true)
    static final class Organizations extends Noun {
        @Command(name = "list", description = "All organisations.")
        void list(@Option(names = "--after", paramLabel = "CURSOR") @Nullable String after) throws Exception {
            list("/organizations", query("after", after), "id", "name", "currency", "zone", "sandbox");
        }

        @Command(name = "show", description = "One organisation.")
        void show(@Parameters(paramLabel = "ORG") String id) throws Exception {
            get("/organizations/" + id);
        }

        @Command(name = "create", description = "A new organisation, subscribed to a plan.")
        void create(
                @Parameters(paramLabel = "NAME") String name,
                @Option(
                                names = "--zone",
                                defaultValue = "UTC",
                                description = "Time zone of its billing periods, such as Asia/Shanghai.")
                        String zone,
                @Option(names = "--currency", required = true, description = "ISO 4217, such as CNY.") String currency,
                @Option(names = "--plan", required = true, description = "The plan it subscribes to.") String plan,
                @Option(names = "--sandbox", description = "With a clock of its own that can be turned.")
                        boolean sandbox)
                throws Exception {
            try (OwnerClient client = OwnerClient.of(main.options.home())) {
                JsonNode made = client.post(
                        "/organizations", Map.of("name", name, "zone", zone, "currency", currency, "sandbox", sandbox));
                client.post("/organizations/" + made.path("id").asString() + "/subscriptions", Map.of("plan", plan));
                show(made);
            }
        }

        @Command(name = "turn-clock", description = "Turns a sandbox organisation's clock forward.")
        void turnClock(
                @Parameters(paramLabel = "ORG") String id,
                @Parameters(paramLabel = "TIME", description = "Such as 2026-12-01T00:00:00Z.") String to)
                throws Exception {
            post("/organizations/" + id + "/clock", Map.of("to", to));
        }
    }

    @Command(
            name = "key",
            description = "API keys: shown once, stored hashed, revocable.",
            mixinStandardHelpOptions = true)
    static final class Keys extends Noun {
        @Command(name = "list", description = "Keys of an organisation.")
        void list(
                @Option(names = "--org", paramLabel = "ORG", required = true) String organization,
                @Option(names = "--after", paramLabel = "CURSOR") @Nullable String after)
                throws Exception {
            list(
                    "/organizations/" + organization + "/keys",
                    query("after", after),
                    "id",
                    "name",
                    "role",
                    "hint",
                    "created_at",
                    "revoked_at");
        }

        @Command(name = "issue", description = "A new key; its secret is printed once and kept nowhere.")
        void issue(
                @Option(names = "--org", paramLabel = "ORG", required = true) String organization,
                @Option(names = "--name", defaultValue = "default") String name)
                throws Exception {
            post("/organizations/" + organization + "/keys", Map.of("name", name));
        }

        @Command(name = "revoke", description = "Ends a key within a second, on every server.")
        void revoke(
                @Option(names = "--org", paramLabel = "ORG", required = true) String organization,
                @Parameters(paramLabel = "KEY") String id)
                throws Exception {
            try (OwnerClient client = OwnerClient.of(main.options.home())) {
                show(client.delete("/organizations/" + organization + "/keys/" + id));
            }
        }
    }

    @Command(name = "plan", description = "Plans and their price versions.", mixinStandardHelpOptions = true)
    static final class Plans extends Noun {
        @Command(name = "list", description = "Plans.")
        void list() throws Exception {
            list("/plans", Map.of(), "name", "fee", "currency", "valid_from");
        }

        @Command(name = "show", description = "A plan's price versions.")
        void show(@Parameters(paramLabel = "PLAN") String plan) throws Exception {
            get("/plans/" + plan + "/prices");
        }
    }

    @Command(name = "credit", description = "Prepaid and promotional credit.", mixinStandardHelpOptions = true)
    static final class Credits extends Noun {
        @Command(name = "list", description = "Balance and grants of an organisation.")
        void list(@Option(names = "--org", paramLabel = "ORG", required = true) String organization) throws Exception {
            get("/organizations/" + organization + "/credits");
        }

        @Command(name = "grant", description = "Adds credit to an organisation's wallet.")
        void grant(
                @Option(names = "--org", paramLabel = "ORG", required = true) String organization,
                @Parameters(paramLabel = "AMOUNT", description = "In the organisation's currency, such as 100.00.")
                        java.math.BigDecimal amount,
                @Option(names = "--kind", defaultValue = "cash", description = "cash (paid in) or promotion (given)")
                        String kind)
                throws Exception {
            post("/organizations/" + organization + "/credits", Map.of("amount", amount, "kind", kind));
        }
    }

    @Command(name = "usage", description = "What was used, event by event.", mixinStandardHelpOptions = true)
    static final class Usage extends Noun {
        @Command(name = "list", description = "Usage events, newest first.")
        void list(
                @Option(names = "--org", paramLabel = "ORG") @Nullable String organization,
                @Option(names = "--model") @Nullable String model,
                @Option(names = "--after", paramLabel = "CURSOR") @Nullable String after)
                throws Exception {
            list(
                    "/usage",
                    query("organization", organization, "product", model, "after", after),
                    "request_id",
                    "organization",
                    "product",
                    "amount",
                    "currency",
                    "used_at");
        }
    }

    @Command(name = "receipt", description = "What one request cost, and why.", mixinStandardHelpOptions = true)
    static final class Receipts extends Noun {
        @Command(name = "show", description = "The receipt of a request.")
        void show(@Parameters(paramLabel = "REQUEST") String request) throws Exception {
            get("/receipts/" + request);
        }

        @Command(
                name = "verify",
                description = "Prices the recorded usage again by the recorded price version and compares.")
        void verify(@Parameters(paramLabel = "REQUEST") String request) throws Exception {
            post("/receipts/" + request + "/verify", Map.of());
        }
    }

    @Command(name = "invoice", description = "Invoices, draft and final.", mixinStandardHelpOptions = true)
    static final class InvoicesCommand extends Noun {
        @Command(name = "list", description = "Invoices.")
        void list(@Option(names = "--org", paramLabel = "ORG") @Nullable String organization) throws Exception {
            list(
                    "/invoices",
                    query("organization", organization),
                    "id",
                    "number",
                    "organization",
                    "status",
                    "total",
                    "currency",
                    "period_start",
                    "period_end");
        }

        @Command(name = "show", description = "One invoice with its lines.")
        void show(@Parameters(paramLabel = "INVOICE") String id) throws Exception {
            get("/invoices/" + id);
        }

        @Command(name = "pdf", description = "Writes an invoice as PDF.")
        void pdf(@Parameters(paramLabel = "INVOICE") String id, @Parameters(paramLabel = "FILE") Path file)
                throws Exception {
            try (OwnerClient client = OwnerClient.of(main.options.home())) {
                Files.write(file, client.getBytes("/invoices/" + id + "/pdf"));
                out().println("wrote " + file.toAbsolutePath());
            }
        }
    }

    @Command(name = "ledger", description = "The double-entry ledger.", mixinStandardHelpOptions = true)
    static final class LedgerCommand extends Noun {
        @Command(name = "verify", description = "Sums every posting; fails unless each currency sums to zero.")
        int verify() throws Exception {
            try (OwnerClient client = OwnerClient.of(main.options.home())) {
                JsonNode report = client.get("/ledger/verify", Map.of());
                show(report);
                return report.path("right").asBoolean(false) ? 0 : 1;
            }
        }
    }
}
