package io.guimo.launch;

import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/** A conversation in the terminal, as any customer has it: over HTTP, metered and billed. */
@Command(
        name = "chat",
        description = "Talks with a language model of the server that runs on the home folder.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Each line is a message; /new begins another conversation, /quit or the end of the input ends.",
            "Without --key it is billed to your own organisation, with a key that lives as long as the conversation."
        })
final class ChatCommand implements Runnable {
    private static final String KEY_NAME = "guimo chat";
    /** What the operator's own organisation may use before it has to pay, as in the console. */
    private static final String CREDIT_LINE = "100";

    @ParentCommand
    Main main = new Main();

    @Spec
    @Nullable
    CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "MODEL", description = "Left out: the first one that generates text.")
    @Nullable
    String model;

    @Option(names = "--key", paramLabel = "KEY", description = "A customer's key, which then pays.")
    @Nullable
    String customerKey;

    @Option(names = "--plan", paramLabel = "PLAN", description = "The plan that your own organisation joins.")
    @Nullable
    String plan;

    @Option(names = "--system", paramLabel = "TEXT", description = "Instructions for the model.")
    @Nullable
    String system;

    @Option(names = "--temperature", paramLabel = "0-2", description = "0: always the likeliest token.")
    @Nullable
    Double temperature;

    @Option(names = "--max-tokens", paramLabel = "N", defaultValue = "512", description = "Most tokens of an answer.")
    int maxTokens;

    @Override
    public void run() {
        try (OwnerClient owner = OwnerClient.of(main.options.home())) {
            String asked = model != null ? model : firstLanguageModel(owner);
            if (customerKey != null) {
                converse(owner, asked, customerKey);
            } else {
                asOperator(owner, key -> converse(owner, asked, key));
            }
        } catch (IOException e) {
            throw new CommandFailure("the conversation ended: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }

    private static String firstLanguageModel(OwnerClient owner) throws IOException, InterruptedException {
        for (JsonNode each : owner.get("/models", Map.of()).path("data")) {
            if ("generate-text".equals(each.path("task").asString())
                    && !each.path("promoted_version").isNull())
                return each.path("name").asString();
        }
        throw new CommandFailure(
                "no language model serves here. Add one to the business file, such as"
                        + " chat: {task: generate-text, from: {catalog: smollm2-135m-instruct}}, price it, and start ./guimo up again.");
    }

    private interface Conversation {
        void with(String key) throws IOException, InterruptedException;
    }

    private void asOperator(OwnerClient owner, Conversation conversation) throws IOException, InterruptedException {
        JsonNode operator = StreamSupport.stream(
                        owner.get("/organizations", Map.of("limit", "100"))
                                .path("data")
                                .spliterator(),
                        false)
                .filter(each -> each.path("operator").asBoolean(false))
                .findFirst()
                .orElseThrow(() -> new CommandFailure("the server names no operator; give a customer's key by --key"));
        String path = "/organizations/" + operator.path("id").asString();
        if (owner.get(path + "/subscriptions", Map.of()).path("data").isEmpty()) join(owner, path);
        JsonNode issued = owner.post(path + "/keys", Map.of("name", KEY_NAME));
        try {
            conversation.with(issued.path("secret").asString());
        } finally {
            owner.delete(path + "/keys/" + issued.path("key").path("id").asString());
        }
    }

    /** Without a plan nothing has a price, and what has no price is not served. */
    private void join(OwnerClient owner, String path) throws IOException, InterruptedException {
        if (plan == null) {
            throw new CommandFailure(
                    "your own organisation is on no plan yet, so nothing has a price for it. Repeat the command with --plan and one of "
                            + StreamSupport.stream(
                                            owner.get("/plans", Map.of())
                                                    .path("data")
                                                    .spliterator(),
                                            false)
                                    .map(each -> each.path("name").asString())
                                    .collect(Collectors.joining(", "))
                            + ", or give a customer's key by --key.");
        }
        owner.post(path + "/credit-line", Map.of("amount", CREDIT_LINE));
        owner.post(path + "/subscriptions", Map.of("plan", plan));
    }

    @SuppressWarnings("SystemConsoleNull") // since JDK 25 there is none again where there is no terminal
    private void converse(OwnerClient owner, String asked, String key) throws IOException, InterruptedException {
        Console console = System.console();
        boolean prompting = console != null && console.isTerminal();
        Charset charset = console == null ? StandardCharsets.UTF_8 : console.charset();
        List<Map<String, String>> messages = new ArrayList<>();
        // The reader is not closed: standard input belongs to the process.
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, charset));
        while (true) {
            if (prompting) {
                out().print("> ");
                out().flush();
            }
            String line = lines.readLine();
            if (line == null || line.strip().equals("/quit")) return;
            if (line.strip().equals("/new")) messages.clear();
            if (line.isBlank() || line.strip().equals("/new")) continue;
            messages.add(Map.of("role", "user", "content", line));
            messages.add(Map.of("role", "assistant", "content", answer(owner, asked, key, messages)));
        }
    }

    private String answer(OwnerClient owner, String asked, String key, List<Map<String, String>> messages)
            throws IOException, InterruptedException {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("model", asked);
        List<Map<String, String>> all = new ArrayList<>();
        if (system != null) all.add(Map.of("role", "system", "content", system));
        all.addAll(messages);
        request.put("messages", all);
        request.put("max_tokens", maxTokens);
        if (temperature != null) request.put("temperature", temperature);
        request.put("stream", true);
        request.put("stream_options", Map.of("include_usage", true));
        StringBuilder answer = new StringBuilder();
        Measure measure = new Measure();
        String requestId = owner.stream("/v1/chat/completions", request, key, chunk -> {
            if (chunk.has("usage") && !chunk.path("usage").isNull()) measure.usage = chunk.path("usage");
            String piece =
                    chunk.path("choices").path(0).path("delta").path("content").asString("");
            if (piece.isEmpty()) return;
            measure.piece();
            answer.append(piece);
            out().print(piece);
            out().flush();
        });
        out().println();
        out().println("  [" + measure.words() + price(owner, requestId) + "]");
        return answer.toString();
    }

    private String price(OwnerClient owner, String requestId) throws IOException, InterruptedException {
        // A stream is settled just after its last word.
        for (int tried = 0; tried < 20; tried++) {
            JsonNode receipt = owner.find("/receipts/" + requestId);
            if (receipt != null) {
                return ", " + receipt.path("amount").asString() + " "
                        + receipt.path("currency").asString();
            }
            Thread.sleep(100);
        }
        return ", price not settled yet: ./guimo receipt show " + requestId;
    }

    /** How fast an answer came. */
    private static final class Measure {
        private final long began = System.nanoTime();
        private long first;
        private long last;
        private @Nullable JsonNode usage;

        void piece() {
            last = System.nanoTime();
            if (first == 0) first = last;
        }

        String words() {
            if (usage == null) return "no usage was told";
            long read = usage.path("prompt_tokens").asLong();
            long cached =
                    usage.path("prompt_tokens_details").path("cached_tokens").asLong(0);
            long written = usage.path("completion_tokens").asLong();
            String speed = written > 1 && last > first
                    ? String.format(
                            Locale.ROOT,
                            ", first after %.2f s, then %.1f tokens/s",
                            (first - began) / 1e9,
                            (written - 1) / ((last - first) / 1e9))
                    : "";
            return read + " tokens read" + (cached > 0 ? " (" + cached + " kept from before)" : "") + ", " + written
                    + " written" + speed;
        }
    }
}
