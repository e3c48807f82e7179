package io.guimo.serve.language;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.commerce.meter.UsageEvent;
import io.guimo.inference.generate.Constraint;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.Sampling;
import io.guimo.serve.ScriptedGenerator.Script;
import io.guimo.serve.TestPlatform;
import io.guimo.serve.http.Json;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.RequestId;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code POST /v1/chat/completions} of a model that runs here, as it is on the wire. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConversationsTest {
    private static final String PATH = "/v1/chat/completions";
    private TestPlatform api;
    private TestPlatform.Customer customer;

    @BeforeAll
    void start() {
        api = TestPlatform.start("conversations_test");
        customer = api.customer("1000");
    }

    @AfterAll
    void stop() {
        api.close();
    }

    @Test
    void whole_hello_answerAsOpenAis() throws Exception {
        api.scripted.says(new Script("Good day, 世界", 4, 0, -1));
        Money before = api.available(customer);
        HttpResponse<String> answer = post("\"messages\": [{\"role\": \"user\", \"content\": \"hello\"}]");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body().replaceAll("req_\\w+|fp_\\w+|\"created\":\\d+", "~"))
                .isEqualTo("{\"id\":\"chatcmpl-~\",\"object\":\"chat.completion\",~,\"model\":\"scripted\","
                        + "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Good day, 世界\","
                        + "\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
                        + "\"usage\":{\"prompt_tokens\":24,\"completion_tokens\":16,\"total_tokens\":40,"
                        + "\"prompt_tokens_details\":{\"cached_tokens\":4,\"audio_tokens\":0},"
                        + "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,"
                        + "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}},"
                        + "\"system_fingerprint\":\"~\"}");
        // 20 × .001 + 4 × .0005 + 16 × .002
        assertThat(answer.headers().firstValue("x-guimo-amount")).contains("0.054");
        assertThat(before.minus(api.available(customer))).isEqualTo(yuan("0.054"));
    }

    @Test
    void stream_hello_chunksAsOpenAis() throws Exception {
        api.scripted.says(Script.of("ok"));
        String answer = post("\"messages\": [{\"role\": \"user\", \"content\": \"hello\"}], \"stream\": true,"
                        + " \"stream_options\": {\"include_usage\": true}")
                .body()
                .replaceAll("req_\\w+|fp_\\w+|\"created\":\\d+", "~");
        String head = "data: {\"id\":\"chatcmpl-~\",\"object\":\"chat.completion.chunk\",~,\"model\":\"scripted\","
                + "\"system_fingerprint\":\"~\",\"choices\":[";
        String tail = "],\"usage\":null}\n\n";
        assertThat(answer)
                .isEqualTo(head
                        + "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}"
                        + tail + head
                        + "{\"index\":0,\"delta\":{\"content\":\"o\"},\"logprobs\":null,\"finish_reason\":null}" + tail
                        + head + "{\"index\":0,\"delta\":{\"content\":\"k\"},\"logprobs\":null,\"finish_reason\":null}"
                        + tail + head + "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}" + tail
                        + head + "],\"usage\":{\"prompt_tokens\":24,\"completion_tokens\":2,\"total_tokens\":26,"
                        + "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
                        + "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,"
                        + "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}}\n\n"
                        + "data: [DONE]\n\n");
        assertThat(post("\"messages\": [{\"role\": \"user\", \"content\": \"hello\"}], \"stream\": true")
                        .body())
                .doesNotContain("usage");
    }

    @Test
    void parameters_allOfThem_reachTheEngine() throws Exception {
        api.scripted.says(Script.of("ok"));
        HttpResponse<String> answer = post("""
                "messages": [{"role": "developer", "content": [{"type": "text", "text": "Be"}, {"type": "text", "text": "brief"}]},
                  {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
                  {"role": "tool", "content": "4", "tool_call_id": "c1"}, {"role": "user", "content": "hello", "name": "Ann"}],
                "max_tokens": 9, "max_completion_tokens": 7, "n": 2, "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.1,
                "repetition_penalty": 1.2, "frequency_penalty": -1, "presence_penalty": 1.5, "logit_bias": {"5": -100},
                "seed": 42, "logprobs": true, "top_logprobs": 2, "stop": "END", "user": "u", "metadata": {"a": "b"}, "store": false,
                "tools": [], "tool_choice": "none", "parallel_tool_calls": true,
                "service_tier": "auto", "modalities": ["text"], "response_format": {"type": "json_object"}""");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(api.scripted.requests()).hasSize(2);
        GenerationRequest first = api.scripted.requests().getFirst();
        assertThat(api.scripted.prompt(first))
                .startsWith(
                        "system\nBe\nbrief\nassistant\n<tool_call>\n{\"name\":\"f\",\"arguments\":{}}\n</tool_call>\n")
                .endsWith("user\n<tool_response>\n4\n</tool_response>\nhello\nassistant\n");
        assertThat(first.maxTokens()).isEqualTo(7);
        assertThat(first.sampling()).isEqualTo(new Sampling(0.5, 40, 0.9, 0.1, -1, 1.5, 1.2, Map.of(5, -100.0), 42L));
        assertThat(api.scripted.requests().get(1).sampling().seed()).isEqualTo(43);
        assertThat(first.topLogprobs()).isEqualTo(2);
        assertThat(first.constraint()).isEqualTo(new Constraint.JsonObject());
        assertThat(first.scope()).isEqualTo(customer.organization().value());
        assertThat(Json.readMap(answer.body().getBytes(StandardCharsets.UTF_8)).get("choices"))
                .extracting(choices -> ((List<?>) choices).get(1))
                .extracting(choice -> String.valueOf(((Map<?, ?>) choice).get("logprobs")))
                .isEqualTo(
                        "{content=[{token=o, logprob=-0.5, bytes=[111], top_logprobs=[{token=o, logprob=-0.5, bytes=[111]}, {token=p, logprob=-1.5, bytes=[112]}]},"
                                + " {token=k, logprob=-0.5, bytes=[107], top_logprobs=[{token=k, logprob=-0.5, bytes=[107]}, {token=l, logprob=-1.5, bytes=[108]}]}], refusal=null}");
    }

    @Test
    void stream_logprobsWithCharactersOfSeveralTokens_eachTokenToldOnce() throws Exception {
        api.scripted.says(Script.of("茶 tea"));
        String answer =
                post("\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"stream\": true, \"logprobs\": true")
                        .body();
        assertThat(answer).contains("{\"content\":\"茶\"},\"logprobs\":{\"content\":[{\"token\":\"�\"");
        assertThat(answer.split("\"logprob\":-0.5", -1)).hasSize(7 + 1);
    }

    @Test
    void schema_given_isTheEnginesConstraint() throws Exception {
        api.scripted.says(Script.of("{}"));
        post(
                "\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"response_format\": {\"type\": \"json_schema\","
                        + " \"json_schema\": {\"name\": \"n\", \"strict\": true, \"schema\": {\"type\": \"object\"}}}");
        assertThat(api.scripted.requests().getFirst().constraint())
                .isEqualTo(new Constraint.JsonSchema("{\"type\":\"object\"}"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "messages": []                                                          | messages
            "messages": [{"role": "robot", "content": "x"}]                         | messages[0].role
            "messages": [{"role": "user"}]                                          | messages[0].content
            "messages": [{"role": "user", "content": 5}]                            | messages[0].content
            "messages": [{"role": "tool", "content": "x"}]                          | messages[0].tool_call_id
            "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}] | messages[0].content
            "temperature": 9                                                        | temperature
            "max_tokens": -1                                                        | max_tokens
            "max_tokens": 0                                                         | max_tokens
            "max_completion_tokens": 1.5                                            | max_completion_tokens
            "top_p": 0                                                              | top_p
            "top_p": 2                                                              | top_p
            "top_k": -1                                                             | top_k
            "min_p": 2                                                              | min_p
            "repetition_penalty": 0                                                 | repetition_penalty
            "frequency_penalty": 3                                                  | frequency_penalty
            "presence_penalty": -3                                                  | presence_penalty
            "n": 9                                                                  | n
            "stop": ""                                                              | stop
            "stop": [1]                                                             | stop
            "logit_bias": {"258": 1}                                                | logit_bias.258
            "logit_bias": {"5": 101}                                                | logit_bias.5
            "top_logprobs": 3                                                       | top_logprobs
            "logprobs": true, "top_logprobs": 21                                    | top_logprobs
            "store": true                                                           | store
            "modalities": ["audio"]                                                 | modalities
            "service_tier": "flex"                                                  | service_tier
            "stream_options": {}                                                    | stream_options
            "response_format": {"type": "yaml"}                                     | response_format.type
            "response_format": {"type": "json_schema"}                              | response_format
            "tools": {}                                                             | tools
            "tools": [{"type": "web_search"}]                                       | tools[0].type
            "tools": [{"type": "function", "function": {"name": "a b"}}]            | tools[0].function.name
            "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "string"}}}] | tools[0].function.parameters
            "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "f"}}] | tools[1].function.name
            "tool_choice": "required"                                               | tool_choice
            "tool_choice": "sometimes"                                              | tool_choice
            "tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": {"type": "function", "function": {"name": "g"}} | tool_choice
            "tools": [{"type": "function", "function": {"name": "f"}}], "response_format": {"type": "json_object"} | response_format
            "audio": {}                                                             | audio
            "seed": "x"                                                             | seed
            """)
    void badField_refusedByName(String field, String param) throws Exception {
        Money before = api.available(customer);
        String messages =
                field.startsWith("\"messages\"") ? "" : "\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], ";
        HttpResponse<String> answer = post(messages + field);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
        assertThat(answer.body()).contains("\"type\":\"invalid_request_error\",\"param\":\"" + param);
        assertThat(api.available(customer)).isEqualTo(before);
    }

    @Test
    void prompt_longerThanTheContext_refusedWithItsCount() throws Exception {
        HttpResponse<String> answer =
                post("\"messages\": [{\"role\": \"user\", \"content\": \"" + "x ".repeat(3000) + "\"}]");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("context_length_exceeded", "at most 4096 tokens", "6019");
    }

    @Test
    void prompt_ofMegabytes_refusedWithoutTokenisingIt() throws Exception {
        HttpResponse<String> answer =
                post("\"messages\": [{\"role\": \"user\", \"content\": \"" + "x ".repeat(3_000_000) + "\"}]");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("context_length_exceeded", "characters, which are more");
    }

    @Test
    void engine_diesBeforeAnything_503AndNothingBilled() throws Exception {
        api.scripted.says(new Script("ok", 0, 0, 0));
        Money before = api.available(customer);
        for (boolean stream : new boolean[] {false, true}) {
            HttpResponse<String> answer =
                    post("\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"stream\": " + stream);
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.headers().firstValue("retry-after")).contains("2");
        }
        assertThat(api.available(customer)).isEqualTo(before);
    }

    @Test
    void idempotencyKey_streamRepeated_sameEventsChargedOnce() throws Exception {
        api.scripted.says(Script.of("once"));
        String body =
                "{\"model\": \"scripted\", \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}";
        HttpResponse<String> first = api.post(PATH, customer.key(), body, "idempotency-key", "k-1");
        Money after = api.available(customer);
        HttpResponse<String> again = api.post(PATH, customer.key(), body, "idempotency-key", "k-1");
        assertThat(again.body()).isEqualTo(first.body()).endsWith("data: [DONE]\n\n");
        assertThat(again.headers().firstValue("content-type"))
                .isEqualTo(first.headers().firstValue("content-type"));
        assertThat(again.headers().firstValue("x-guimo-replayed")).contains("true");
        assertThat(api.scripted.requests()).hasSize(1);
        assertThat(api.available(customer)).isEqualTo(after);
        assertThat(api.post(PATH, customer.key(), body.replace("\"x\"", "\"y\""), "idempotency-key", "k-1")
                        .statusCode())
                .isEqualTo(422);
    }

    @Test
    void longPrompt_whileNothingComes_commentsAreSent() throws Exception {
        api.scripted.says(new Script("late", 0, 1500, -1));
        String answer = post("\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"stream\": true")
                .body();
        assertThat(answer).startsWith(": still at work\n\ndata: {").endsWith("data: [DONE]\n\n");
    }

    @Test
    void client_closesItsSocketInTheStream_engineIsFreedAndOnlyThatIsCharged() throws Exception {
        int tokens = 3000;
        api.scripted.says(new Script("x".repeat(tokens), 0, 0, -1, 5));
        TestPlatform.Customer leaving = api.customer("100");
        byte[] body =
                "{\"model\": \"scripted\", \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}"
                        .getBytes(StandardCharsets.UTF_8);
        int read = 0;
        String request = "";
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), api.server.port())) {
            socket.getOutputStream()
                    .write(("POST " + PATH
                                    + " HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer "
                                    + leaving.key() + "\r\ncontent-length: " + body.length + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(body);
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null && read < 7; line = lines.readLine()) {
                if (line.startsWith("x-request-id: ")) request = line.substring("x-request-id: ".length());
                if (line.contains("{\"content\":\"x\"}")) read++;
            }
        }
        Optional<UsageEvent> charged = Optional.empty();
        while (charged.isEmpty()) {
            Thread.sleep(10);
            charged = api.commerce.usage().find(leaving.organization(), new RequestId(request));
        }
        assertThat(api.scripted.openStreams()).isZero();
        assertThat(charged.get().brokenOff()).isTrue();
        assertThat(charged.get().lines())
                .filteredOn(line -> line.meter() == Meter.OUTPUT_TOKENS)
                .singleElement()
                .satisfies(line -> assertThat(line.quantity()).isBetween(7L, tokens - 1L));
    }

    private HttpResponse<String> post(String fields) throws Exception {
        return api.post(PATH, customer.key(), "{\"model\": \"scripted\", " + fields + "}");
    }

    private static Money yuan(String amount) {
        return Money.of(TestPlatform.CNY, amount);
    }
}
