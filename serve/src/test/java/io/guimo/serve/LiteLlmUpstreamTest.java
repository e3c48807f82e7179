package io.guimo.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.inference.KeyReference;
import io.guimo.inference.OpenAiRemoteChat;
import io.guimo.inference.RemoteChatSettings;
import io.guimo.inference.RetrySettings;
import io.guimo.inference.UpstreamSettings;
import io.guimo.registry.ModelOwner;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * LiteLLM's proxy as the upstream, with an origin behind it whose every byte the test decides. Wants the command of
 * {@code pip install 'litellm[proxy]'} in the system property {@code guimo.test.litellm}, or {@code litellm} on the path.
 */
@Tag("long")
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LiteLlmUpstreamTest {
    private static final String ASK =
            "{\"model\":\"%s\",\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}";
    private static final String KEY = "sk-of-the-proxy";

    @TempDir
    private static Path folder;

    private TestPlatform api;
    private ScriptedUpstream origin;
    private Process proxy;
    private URI proxyUrl;

    @BeforeAll
    void start() throws Exception {
        origin = new ScriptedUpstream(LiteLlmUpstreamTest::answer);
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        proxyUrl = URI.create("http://127.0.0.1:" + port + "/v1");
        Path settings = Files.writeString(folder.resolve("litellm.yaml"), """
                model_list:
                  - {model_name: told, litellm_params: {model: openai/origin, api_base: "%s", api_key: none, max_retries: 0}}
                litellm_settings: {num_retries: 0}
                router_settings: {num_retries: 0, disable_cooldowns: true}
                general_settings: {master_key: %s}
                """.formatted(origin.baseUrl(), KEY));
        String command = System.getProperty("guimo.test.litellm", "litellm");
        proxy = new ProcessBuilder(command, "--config", settings.toString(), "--host", "127.0.0.1", "--port", "" + port)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("litellm.log").toFile())
                .start();
        api = TestPlatform.start("litellm_test");
        for (String model : List.of("remote", "busy", "locked-out")) {
            api.sell(
                    model,
                    Map.of(
                            Meter.INPUT_TOKENS, TestPlatform.flat("0.001"),
                            Meter.CACHED_INPUT_TOKENS, TestPlatform.flat("0.0005"),
                            Meter.OUTPUT_TOKENS, TestPlatform.flat("0.002")));
        }
        awaitProxy(); // before our probes find it away and let it rest
        mount("remote", KEY);
        mount("busy", KEY); // an upstream that named a time is left alone by its model, and by no other
        mount("locked-out", "sk-wrong");
    }

    private void mount(String name, String key) {
        UpstreamSettings upstream =
                new UpstreamSettings(proxyUrl, "told", null, null, new KeyReference("proxy", null), null);
        RemoteChatSettings settings = new RemoteChatSettings(
                List.of(upstream), null, new RetrySettings(2, Duration.ZERO), null, null, null, null, null, null);
        api.platform
                .models()
                .mount(ModelOwner.operator(), new OpenAiRemoteChat(name, "1", settings, _ -> key, Optional.empty()));
    }

    private void awaitProxy() throws Exception {
        HttpRequest alive = HttpRequest.newBuilder(proxyUrl.resolve("/health/liveliness"))
                .timeout(Duration.ofSeconds(5))
                .build();
        while (true) {
            assertThat(proxy.isAlive())
                    .as("the proxy ended: " + Files.readString(folder.resolve("litellm.log")))
                    .isTrue();
            try {
                if (api.client
                                .send(alive, HttpResponse.BodyHandlers.discarding())
                                .statusCode()
                        == 200) return;
            } catch (IOException notYet) {
                LockSupport.parkNanos(300_000_000);
            }
        }
    }

    @AfterAll
    void stop() {
        proxy.destroyForcibly().onExit().join();
        api.close();
        origin.close();
    }

    /** As the prompt says. */
    private static boolean answer(String id, boolean stream, OutputStream out) throws IOException {
        if (id.equals("busy")) {
            ScriptedUpstream.whole(
                    out, "429 Too Many Requests\r\nretry-after: 7", "{\"error\":{\"message\":\"busy\"}}");
            return true;
        }
        if (!stream) {
            ScriptedUpstream.whole(
                    out,
                    "200 OK",
                    "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"origin\",\"choices\":[{\"index\":0,"
                            + "\"message\":{\"role\":\"assistant\",\"content\":\"价 told\"},\"finish_reason\":\"stop\"}],"
                            + "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":5,\"total_tokens\":14}}");
            return true;
        }
        ScriptedUpstream.head(out);
        for (int i = 0; i < 20; i++) {
            if (i == 10 && id.equals("break")) return false;
            ScriptedUpstream.event(out, chunk("{\"content\":\"w" + i + " \"}", "null"));
        }
        ScriptedUpstream.event(out, chunk("{}", "\"stop\""));
        ScriptedUpstream.event(
                out,
                "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"origin\",\"choices\":[],"
                        + "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":20,\"total_tokens\":29}}");
        ScriptedUpstream.end(out);
        return true;
    }

    private static String chunk(String delta, String finish) {
        return "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"origin\",\"choices\":[{\"index\":0,\"delta\":"
                + delta + ",\"finish_reason\":" + finish + "}]}";
    }

    private HttpResponse<String> ask(TestPlatform.Customer customer, String model, boolean stream, String id)
            throws Exception {
        return api.post("/v1/chat/completions", customer.key(), ASK.formatted(model, stream, id));
    }

    @Test
    void chat_throughTheProxy_answeredAndBilledAsTheOriginReported() throws Exception {
        TestPlatform.Customer customer = api.customer("100");
        HttpResponse<String> whole = ask(customer, "remote", false, "hello");
        assertThat(whole.statusCode()).as(whole.body()).isEqualTo(200);
        assertThat(whole.body()).contains("told", "\"model\":\"remote\"");
        assertThat(whole.headers().firstValue("x-guimo-amount")).contains("0.019"); // 9 × .001 + 5 × .002

        HttpResponse<String> stream = ask(customer, "remote", true, "hello");
        assertThat(stream.statusCode()).as(stream.body()).isEqualTo(200);
        for (int i = 0; i < 20; i++) assertThat(stream.body()).containsOnlyOnce("\"w" + i + " \"");
        assertThat(stream.body()).endsWith("data: [DONE]\n\n").doesNotContain("\"model\":\"told\"");
        assertThat(api.available(customer))
                .isEqualTo(yuan("100").minus(yuan("0.019")).minus(yuan("0.049")));
    }

    @Test
    void chat_originBreaksOffBehindTheProxy_whatWasReadIsBilled() throws Exception {
        TestPlatform.Customer customer = api.customer("100");
        HttpRequest request = api.request("/v1/chat/completions", customer.key())
                .POST(HttpRequest.BodyPublishers.ofString(ASK.formatted("remote", true, "break")))
                .build();
        long read;
        try {
            String body = api.client
                    .send(request, HttpResponse.BodyHandlers.ofString())
                    .body();
            assertThat(body).doesNotContain("[DONE]");
            read = body.lines().filter(l -> l.contains("\"w")).count();
        } catch (IOException brokenOff) {
            read = 10; // all that the origin wrote can have been read, and no more
        }
        Money spent = yuan("100").minus(api.available(customer));
        assertThat(spent).isLessThanOrEqualTo(yuan("0.05")).isGreaterThanOrEqualTo(yuan("0"));
        assertThat(read).isLessThanOrEqualTo(10);
    }

    @Test
    void chat_originBusyOrOurKeyWrong_customerToldAndNothingBilled() throws Exception {
        TestPlatform.Customer customer = api.customer("100");
        HttpResponse<String> busy = ask(customer, "busy", false, "busy");
        assertThat(busy.statusCode()).as(busy.body()).isEqualTo(503);
        assertThat(busy.headers().firstValue("retry-after")).isPresent();
        for (boolean stream : new boolean[] {true, false}) {
            HttpResponse<String> locked = ask(customer, "locked-out", stream, "hello");
            // without a database this proxy answers 400 to a key that is not its master's, with one 401
            assertThat(locked.statusCode()).as(locked.body()).isIn(400, 502);
            assertThat(locked.body()).doesNotContain("sk-");
        }
        assertThat(api.available(customer)).isEqualTo(yuan("100"));
    }

    private static Money yuan(String amount) {
        return Money.of(TestPlatform.CNY, amount);
    }
}
