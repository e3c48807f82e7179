package io.guimo.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.AriaRole;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A real language model through the whole program, as a user runs it: from the catalogue to a line of an invoice. */
class ChatSpineTest {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Path FOLDER = Path.of("target/chat-spine-test").toAbsolutePath();
    private static final long PATIENCE_NANOS = 300_000_000_000L;

    private static GuimoProcess guimo;
    private static JsonNode report;
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @BeforeAll
    static void up() throws Exception {
        Scratch.deleteTree(FOLDER);
        guimo = GuimoProcess.up(FOLDER, ChatBusiness.write(FOLDER));
        report = guimo.report(FOLDER.resolve("report.json"));
    }

    @AfterAll
    static void down() throws Exception {
        HTTP.close();
        if (guimo != null) guimo.close();
    }

    @Test
    void demonstration_streamedChats_areOnTheInvoiceByTheToken() {
        JsonNode input = row("usage", "input_tokens");
        JsonNode output = row("usage", "output_tokens");
        // Four chats of at most 24 tokens each.
        assertThat(output.path("quantity").asLong()).isBetween(4L, 96L);
        assertThat(input.path("quantity").asLong()).isPositive();
        assertThat(amount(output))
                .isEqualByComparingTo(perMillion(output.path("quantity").asLong(), 150));
        assertThat(amount(input))
                .isEqualByComparingTo(perMillion(input.path("quantity").asLong(), 50));
        JsonNode invoice = report.path("invoice");
        assertThat(invoice.path("status").asString()).isEqualTo("final");
        assertThat(invoice.path("lines").toString()).contains("chat");
        assertThat(report.path("ledger").path("sumByCurrency").path("CNY").asString())
                .isEqualTo("0");
        assertThat(report.path("ledger").path("reservationsOpen").asLong()).isZero();
    }

    @Test
    void economics_ofTheModel_areMeasuredByMeter() {
        List<JsonNode> rows = StreamSupport.stream(report.path("economics").spliterator(), false)
                .filter(row -> row.path("model").asString().equals(ChatBusiness.CHAT))
                .toList();
        assertThat(rows).hasSizeGreaterThanOrEqualTo(2).allSatisfy(row -> assertThat(
                        new BigDecimal(row.path("measuredCost").asString()))
                .isNotNegative());
        assertThat(rows.stream()
                        .map(row -> new BigDecimal(row.path("measuredCost").asString()))
                        .reduce(BigDecimal.ZERO, BigDecimal::add))
                .isPositive();
    }

    @Test
    void console_chat_streamsWithItsPriceSoFar() throws Exception {
        List<String> complaints = new ArrayList<>();
        try (TestBrowser browser = TestBrowser.open();
                BrowserContext context =
                        browser.chromium().newContext(new Browser.NewContextOptions().setLocale("en-US"))) {
            Page page = context.newPage();
            page.onPageError(complaints::add);
            ConsoleBrowserTest.logIn(
                    page,
                    report.path("baseUrl").asString(),
                    report.path("ownerKey").asString());
            ConsoleBrowserTest.go(page, "playground");
            page.getByRole(AriaRole.BUTTON, ConsoleBrowserTest.named("Use plan payg"))
                    .click();
            page.getByRole(AriaRole.BUTTON, ConsoleBrowserTest.named("Chat")).click();
            page.locator(".chat-settings summary").click();
            page.locator("#chat-temperature").fill("0");
            page.locator("#chat-max_tokens").fill("24");
            for (String question : List.of("What is a scarf for?", "And gloves?")) {
                page.locator("#chat-text").fill(question);
                page.keyboard().press("Enter");
                PlaywrightAssertions.assertThat(page.locator(".turn").last().locator(".said"))
                        .hasText(question);
                PlaywrightAssertions.assertThat(page.locator(".turn").last().locator(".measure strong"))
                        .containsText("¥", new LocatorAssertions.ContainsTextOptions().setTimeout(60_000));
            }
            assertThat(page.locator(".turn").last().locator(".answered").textContent())
                    .isNotBlank();
            assertThat(page.locator(".turn").last().locator(".measure").textContent())
                    .contains("kept from before", "tokens/s");
            PlaywrightAssertions.assertThat(page.getByText("so far").last()).isVisible();
            ConsoleBrowserTest.picture(page, "up-chat-en");
            page.getByRole(AriaRole.BUTTON, ConsoleBrowserTest.named("Compare with another model"))
                    .click();
            page.locator("#chat-text").fill("Write a long story.");
            page.locator("#chat-max_tokens").fill("2000");
            page.keyboard().press("Tab");
            page.getByRole(AriaRole.BUTTON, ConsoleBrowserTest.named("Send")).click();
            PlaywrightAssertions.assertThat(page.locator(".answered")).hasCount(4);
            page.getByRole(AriaRole.BUTTON, ConsoleBrowserTest.named("Stop")).click();
            PlaywrightAssertions.assertThat(page.locator(".turn").last().locator(".measure"))
                    .containsText("stopped");
            // What was delivered before the stop is billed, and the price arrives when the server has found the reader
            // gone.
            PlaywrightAssertions.assertThat(page.locator(".turn").last().locator(".measure strong"))
                    .containsText("¥", new LocatorAssertions.ContainsTextOptions().setTimeout(30_000));
            page.getByText("中文").click();
            ConsoleBrowserTest.picture(page, "up-chat-zh");
            ConsoleBrowserTest.go(page, "economics");
            ConsoleBrowserTest.settled(page);
            ConsoleBrowserTest.picture(page, "up-chat-economics-zh");
        }
        assertThat(complaints).isEmpty();
    }

    @Test
    void worker_killedInTheMiddleOfAStream_streamEndsAndTheNextOneIsServed() throws Exception {
        HttpResponse<InputStream> answer = HTTP.send(chat(400), HttpResponse.BodyHandlers.ofInputStream());
        assertThat(answer.statusCode()).isEqualTo(200);
        StringBuilder read = new StringBuilder();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
            int events = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                read.append(line).append('\n');
                if (line.startsWith("data:") && ++events == 5) worker().destroyForcibly();
            }
        } catch (IOException cut) {
            read.append("cut: ").append(cut);
        }
        assertThat(read.toString()).doesNotContain("[DONE]");
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            HttpResponse<String> next = HTTP.send(chat(4), HttpResponse.BodyHandlers.ofString());
            if (next.statusCode() == 200 && next.body().contains("[DONE]")) break;
            assertThat(next.statusCode()).as(next.body()).isEqualTo(503);
            assertThat(next.headers().firstValue("retry-after")).isPresent();
            assertThat(System.nanoTime()).as("the worker is not started again").isLessThan(deadline);
            Thread.sleep(200);
        }
        assertThat(worker().isAlive()).isTrue();
    }

    /** The worker of the program that this test started. */
    private static ProcessHandle worker() {
        return guimo.descendants()
                .filter(process -> commandLine(process).contains("LlamaWorker"))
                .findFirst()
                .orElseThrow();
    }

    /** The JDK tells no arguments of a process whose command line is longer than a page. */
    private static String commandLine(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"), StandardCharsets.ISO_8859_1);
        } catch (IOException ended) {
            return "";
        }
    }

    private static HttpRequest chat(int maxTokens) {
        return HttpRequest.newBuilder(URI.create(report.path("baseUrl").asString() + "/v1/chat/completions"))
                .header("authorization", "Bearer " + report.path("customerKey").asString())
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(Map.of(
                        "model",
                        ChatBusiness.CHAT,
                        "messages",
                        List.of(Map.of("role", "user", "content", "Tell me a long story about a lighthouse.")),
                        "max_tokens",
                        maxTokens,
                        "stream",
                        true))))
                .build();
    }

    private static JsonNode row(String list, String meter) {
        return StreamSupport.stream(report.path(list).spliterator(), false)
                .filter(row -> row.path("model").asString().equals(ChatBusiness.CHAT)
                        && row.path("meter").asString().equals(meter))
                .findFirst()
                .orElseThrow();
    }

    private static BigDecimal amount(JsonNode row) {
        return new BigDecimal(row.path("amount").asString());
    }

    private static BigDecimal perMillion(long tokens, int price) {
        return BigDecimal.valueOf(tokens).multiply(BigDecimal.valueOf(price)).movePointLeft(6);
    }
}
