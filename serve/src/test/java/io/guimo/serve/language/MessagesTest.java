package io.guimo.serve.language;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.serve.ScriptedGenerator.Script;
import io.guimo.serve.TestPlatform;
import io.guimo.units.Money;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code POST /v1/messages} as it is on the wire. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MessagesTest {
    private static final String HELLO =
            "\"max_tokens\": 100, \"messages\": [{\"role\": \"user\", \"content\": \"hello\"}]";
    private TestPlatform api;
    private TestPlatform.Customer customer;

    @BeforeAll
    void start() {
        api = TestPlatform.start("messages_test");
        customer = api.customer("1000");
    }

    @AfterAll
    void stop() {
        api.close();
    }

    @Test
    void whole_hello_answerAsAnthropicsAndCharged() throws Exception {
        api.scripted.says(new Script("Good day", 4, 0, -1));
        Money before = api.available(customer);
        HttpResponse<String> answer = post(HELLO);
        assertThat(answer.body().replaceAll("msg_\\w+", "~"))
                .isEqualTo(
                        "{\"id\":\"~\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"scripted\","
                                + "\"content\":[{\"type\":\"text\",\"text\":\"Good day\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,"
                                + "\"usage\":{\"input_tokens\":20,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":4,\"output_tokens\":8}}");
        assertThat(before.minus(api.available(customer))).isEqualTo(Money.of(TestPlatform.CNY, "0.038"));
    }

    @Test
    void stream_hello_eventsInAnthropicsOrder() throws Exception {
        api.scripted.says(new Script("é!", 4, 0, -1));
        assertThat(post(HELLO + ", \"stream\": true").body().replaceAll("msg_\\w+", "~"))
                .isEqualTo("event: message_start\n"
                        + "data: {\"type\":\"message_start\",\"message\":{\"id\":\"~\",\"type\":\"message\",\"role\":\"assistant\","
                        + "\"model\":\"scripted\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
                        + "\"usage\":{\"input_tokens\":20,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":4,\"output_tokens\":0}}}\n\n"
                        + "event: content_block_start\n"
                        + "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
                        + "event: ping\ndata: {\"type\":\"ping\"}\n\n"
                        + "event: content_block_delta\n"
                        + "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"é\"}}\n\n"
                        + "event: content_block_delta\n"
                        + "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"!\"}}\n\n"
                        + "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
                        + "event: message_delta\n"
                        + "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},"
                        + "\"usage\":{\"input_tokens\":20,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":4,\"output_tokens\":3}}\n\n"
                        + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    }

    @Test
    void conversation_blocksAndTools_becomeTheTemplatesMessages() throws Exception {
        api.scripted.says(Script.of("ok"));
        HttpResponse<String> answer = post("""
                "max_tokens": 5, "system": [{"type": "text", "text": "Be brief", "cache_control": {"type": "ephemeral"}}],
                "temperature": 0.5, "top_k": 7, "metadata": {"user_id": "u"}, "messages": [
                 {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
                 {"role": "assistant", "content": [{"type": "text", "text": "c"}, {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1}}]},
                 {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "4"}, {"type": "text", "text": "d"}]}]""");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(api.scripted.prompt(api.scripted.requests().getFirst())).isEqualTo("""
                        system
                        Be brief
                        user
                        a
                        b
                        assistant
                        c
                        <tool_call>
                        {"name":"f","arguments":{"x":1}}
                        </tool_call>
                        user
                        <tool_response>
                        4
                        </tool_response>
                        d
                        assistant
                        """);
        assertThat(api.scripted.requests().getFirst().sampling().topK()).isEqualTo(7);
        assertThat(api.scripted.requests().getFirst().maxTokens()).isEqualTo(5);
    }

    @Test
    void stopSequences_several_theCompletedOneIsTold() throws Exception {
        api.scripted.says(Script.of("one two 茶 three"));
        for (boolean stream : new boolean[] {false, true}) {
            assertThat(post(HELLO + ", \"stop_sequences\": [\"three\", \"茶\", \" 茶\"], \"stream\": " + stream)
                            .body())
                    .contains("\"stop_reason\":\"stop_sequence\",\"stop_sequence\":\" 茶\"")
                    .doesNotContain("three");
        }
        assertThat(post(HELLO.replace("100", "3")).body()).contains("\"stop_reason\":\"max_tokens\"");
    }

    @Test
    void key_inAnthropicsHeader_isTaken() throws Exception {
        api.scripted.says(Script.of("ok"));
        HttpRequest request = HttpRequest.newBuilder(api.uri("/v1/messages"))
                .header("x-api-key", customer.key())
                .header("anthropic-version", "2023-06-01")
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"model\": \"scripted\", " + HELLO + "}"))
                .build();
        assertThat(api.client
                        .send(request, HttpResponse.BodyHandlers.ofString())
                        .statusCode())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            good | {"model": "scripted", "messages": [{"role": "user", "content": "x"}]}                                           | 400 | invalid_request_error | 'max_tokens' is required
            good | {"model": "scripted", "max_tokens": 5, "messages": []}                                                         | 400 | invalid_request_error | 'messages' has 0
            good | {"model": "scripted", "max_tokens": 5, "messages": [{"role": "system", "content": "x"}]}                        | 400 | invalid_request_error | write user or assistant
            good | {"model": "scripted", "max_tokens": 5, "messages": [{"role": "assistant", "content": "x"}]}                     | 400 | invalid_request_error | ends with an assistant
            good | {"model": "scripted", "max_tokens": 5, "messages": [{"role": "user", "content": [{"type": "image"}]}]}          | 400 | invalid_request_error | messages[0].content[0]
            good | {"model": "scripted", "max_tokens": 5, "temperature": 2, "messages": [{"role": "user", "content": "x"}]}        | 400 | invalid_request_error | 'temperature' is 2
            good | {"model": "none", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}                              | 404 | not_found_error       | does not exist
            poor | {"model": "scripted", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}                          | 429 | billing_error         | credit
            none | {"model": "scripted", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}                          | 401 | authentication_error  | not valid
            """)
    void refusal_inAnthropicsShape(String who, String body, int status, String type, String message) throws Exception {
        String key =
                switch (who) {
                    case "good" -> customer.key();
                    case "poor" -> api.customer("0").key();
                    default -> "sk-guimo-wrong";
                };
        HttpResponse<String> answer = api.post("/v1/messages", key, body);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body())
                .startsWith("{\"type\":\"error\",\"error\":{\"type\":\"" + type + "\",\"message\":\"")
                .contains(message)
                .contains("\"request_id\":\""
                        + answer.headers().firstValue("x-request-id").orElseThrow());
    }

    @Test
    void engine_diesInTheStream_errorEvent() throws Exception {
        api.scripted.says(new Script("half of it", 0, 0, 4));
        assertThat(post(HELLO + ", \"stream\": true").body())
                .contains("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"")
                .doesNotContain("message_stop");
    }

    private HttpResponse<String> post(String fields) throws Exception {
        return api.post("/v1/messages", customer.key(), "{\"model\": \"scripted\", " + fields + "}");
    }
}
