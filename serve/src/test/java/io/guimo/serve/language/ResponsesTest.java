package io.guimo.serve.language;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.serve.ScriptedGenerator.Script;
import io.guimo.serve.TestPlatform;
import io.guimo.serve.http.Json;
import io.guimo.units.Money;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code /v1/responses} as it is on the wire. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ResponsesTest {
    private static final String PATH = "/v1/responses";
    private TestPlatform api;
    private TestPlatform.Customer customer;

    @BeforeAll
    void start() {
        api = TestPlatform.start("responses_test");
        customer = api.customer("1000");
    }

    @AfterAll
    void stop() {
        api.close();
    }

    @Test
    void whole_text_answerAsOpenAisAndKept() throws Exception {
        api.scripted.says(new Script("Hi!", 4, 0, -1));
        Money before = api.available(customer);
        String answer = post("\"input\": \"hello\", \"instructions\": \"Be brief.\", \"metadata\": {\"a\": \"b\"}")
                .body();
        String id = id(answer);
        assertThat(answer.replace(id.substring(5), "~").replaceAll("\"created_at\":\\d+", "~"))
                .isEqualTo("{\"id\":\"resp_~\",\"object\":\"response\",~,\"status\":\"completed\",\"background\":false,"
                        + "\"error\":null,\"incomplete_details\":null,\"instructions\":\"Be brief.\",\"max_output_tokens\":null,"
                        + "\"model\":\"scripted\",\"output\":[{\"id\":\"msg_~\",\"type\":\"message\",\"status\":\"completed\","
                        + "\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hi!\",\"annotations\":[],\"logprobs\":[]}]}],"
                        + "\"parallel_tool_calls\":true,\"previous_response_id\":null,\"store\":true,\"temperature\":1.0,"
                        + "\"text\":{\"format\":{\"type\":\"text\"}},\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":1.0,"
                        + "\"truncation\":\"disabled\",\"usage\":{\"input_tokens\":43,\"input_tokens_details\":{\"cached_tokens\":4},"
                        + "\"output_tokens\":3,\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":46},"
                        + "\"metadata\":{\"a\":\"b\"}}");
        assertThat(before.minus(api.available(customer))).isEqualTo(Money.of(TestPlatform.CNY, "0.047"));
        assertThat(api.get(PATH + "/" + id, customer.key()).body()).isEqualTo(answer);
    }

    @Test
    void stream_text_eventsInOpenAisOrder() throws Exception {
        api.scripted.says(Script.of("é!"));
        HttpResponse<String> answer = post("\"input\": \"hello\", \"stream\": true");
        List<Map<String, Object>> events = answer.body()
                .lines()
                .filter(l -> l.startsWith("data: "))
                .map(l -> Json.readMap(l.substring(6).getBytes(StandardCharsets.UTF_8)))
                .toList();
        assertThat(events.stream().map(e -> e.get("type")))
                .containsExactly(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.content_part.added",
                        "response.output_text.delta",
                        "response.output_text.delta",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.completed");
        for (int i = 0; i < events.size(); i++)
            assertThat(events.get(i).get("sequence_number")).isEqualTo(i);
        assertThat(answer.body().lines().filter(l -> l.startsWith("event: ")).map(l -> l.substring(7)))
                .containsExactlyElementsOf(
                        events.stream().map(e -> (String) e.get("type")).toList());
        assertThat(events.get(4).get("delta")).isEqualTo("é");
        assertThat(events.get(6).get("text")).isEqualTo("é!");
        Map<?, ?> response = Objects.requireNonNull((Map<?, ?>) events.getLast().get("response"));
        assertThat(response.get("status")).isEqualTo("completed");
        HttpResponse<String> kept = api.get(PATH + "/" + response.get("id"), customer.key());
        assertThat(Json.readMap(kept.body().getBytes(StandardCharsets.UTF_8))).isEqualTo(response);
    }

    @Test
    void previousResponse_chain_wholeConversationIsThePrompt() throws Exception {
        api.scripted.says(Script.of("one"));
        String first =
                id(post("\"input\": \"1?\", \"instructions\": \"only once\"").body());
        api.scripted.says(Script.of("two"));
        String second = id(
                post("\"input\": [{\"role\": \"user\", \"content\": [{\"type\": \"input_text\", \"text\": \"2?\"}]}],"
                                + " \"previous_response_id\": \"" + first + "\"")
                        .body());
        post("\"input\": \"3?\", \"previous_response_id\": \"" + second + "\"");
        assertThat(api.scripted.prompt(api.scripted.requests().getLast()))
                .isEqualTo("user\n1?\nassistant\none\nuser\n2?\nassistant\ntwo\nuser\n3?\nassistant\n");

        // another organisation has none of it, and what was forgotten is not gone on from
        String stranger = api.customer("10").key();
        assertThat(api.get(PATH + "/" + first, stranger).statusCode()).isEqualTo(404);
        assertThat(api.post(
                                PATH,
                                stranger,
                                "{\"model\": \"scripted\", \"input\": \"x\", \"previous_response_id\": \"" + first
                                        + "\"}")
                        .body())
                .contains("previous_response_not_found");
        assertThat(delete(first, stranger).statusCode()).isEqualTo(404);
        assertThat(delete(first, customer.key()).body())
                .isEqualTo("{\"id\":\"" + first + "\",\"object\":\"response\",\"deleted\":true}");
        assertThat(api.get(PATH + "/" + first, customer.key()).statusCode()).isEqualTo(404);
        assertThat(post("\"input\": \"x\", \"previous_response_id\": \"" + second + "\"")
                        .statusCode())
                .isEqualTo(400);
    }

    @Test
    void store_false_notKept() throws Exception {
        api.scripted.says(Script.of("gone"));
        String id = id(post("\"input\": \"x\", \"store\": false").body());
        assertThat(api.get(PATH + "/" + id, customer.key()).statusCode()).isEqualTo(404);
    }

    @Test
    void maxOutputTokens_reached_incompleteWithItsReason() throws Exception {
        api.scripted.says(Script.of("too long"));
        assertThat(post("\"input\": \"x\", \"max_output_tokens\": 3").body())
                .contains(
                        "\"status\":\"incomplete\"",
                        "\"incomplete_details\":{\"reason\":\"max_output_tokens\"}",
                        "\"text\":\"too\"");
    }

    @Test
    void cancel_whileItIsStreamed_endsItAndChargesWhatCame() throws Exception {
        api.scripted.says(new Script("never said", 0, 600_000, -1));
        Money before = api.available(customer);
        HttpRequest request = api.request(PATH, customer.key())
                .POST(HttpRequest.BodyPublishers.ofString(
                        "{\"model\": \"scripted\", \"input\": \"x\", \"stream\": true}"))
                .build();
        HttpResponse<InputStream> streamed = api.client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        String id = "resp_"
                + streamed.headers().firstValue("x-request-id").orElseThrow().substring(4);
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(streamed.body(), StandardCharsets.UTF_8))) {
            assertThat(lines.readLine()).isEqualTo(": still at work");
            String stranger = api.customer("10").key();
            assertThat(api.post(PATH + "/" + id + "/cancel", stranger, "").statusCode())
                    .isEqualTo(404);
            HttpResponse<String> cancelled = api.post(PATH + "/" + id + "/cancel", customer.key(), "");
            assertThat(cancelled.body()).contains("\"status\":\"cancelled\"");
            assertThat(lines.lines().toList().getLast()).isEmpty();
            assertThat(api.get(PATH + "/" + id, customer.key()).body()).isEqualTo(cancelled.body());
        }
        assertThat(api.post(PATH + "/" + id + "/cancel", customer.key(), "").body())
                .contains("response_has_ended");
        assertThat(api.scripted.openStreams()).isZero();
        assertThat(api.available(customer)).isLessThanOrEqualTo(before);
    }

    @Test
    void engine_diesInTheStream_failedEvent() throws Exception {
        api.scripted.says(new Script("half of it", 0, 0, 4));
        assertThat(post("\"input\": \"x\", \"stream\": true").body())
                .contains(
                        "event: response.failed\n",
                        "\"status\":\"failed\",\"background\":false,\"error\":{\"code\":\"server_error\"")
                .doesNotContain("response.completed");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "input": []                                                        | input
            "input": 5                                                         | input
            "input": [{"role": "robot", "content": "x"}]                       | input[0].role
            "input": [{"role": "user"}]                                        | input[0].content
            "input": [{"type": "reasoning"}]                                   | input[0].type
            "input": [{"type": "function_call_output", "output": "x"}]         | input[0].call_id
            "input": "x", "tools": [{"type": "web_search"}]                    | tools[0].type
            "input": "x", "background": true                                   | background
            "input": "x", "truncation": "auto"                                 | truncation
            "input": "x", "temperature": 9                                     | temperature
            "input": "x", "max_output_tokens": 0                               | max_output_tokens
            "input": "x", "include": ["reasoning.encrypted_content"]           | include
            "input": "x", "top_logprobs": 2                                    | top_logprobs
            "input": "x", "text": {"format": {"type": "json_schema"}}          | text.format
            "input": "x", "previous_response_id": "resp_none"                  | previous_response_id
            """)
    void badField_refusedByName(String fields, String param) throws Exception {
        HttpResponse<String> answer = post(fields);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
        assertThat(answer.body()).contains("\"param\":\"" + param + "\"");
    }

    private HttpResponse<String> delete(String id, String key) throws Exception {
        return api.client.send(
                api.request(PATH + "/" + id, key).DELETE().build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String id(String answer) {
        return String.valueOf(
                Json.readMap(answer.getBytes(StandardCharsets.UTF_8)).get("id"));
    }

    private HttpResponse<String> post(String fields) throws Exception {
        return api.post(PATH, customer.key(), "{\"model\": \"scripted\", " + fields + "}");
    }
}
