package io.guimo.serve.language;

import static org.assertj.core.api.Assertions.assertThat;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionFunctionTool;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import io.guimo.inference.generate.Constraint;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.GenerationEnd;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.serve.ScriptedGenerator.Script;
import io.guimo.serve.TestPlatform;
import io.guimo.text.ToolFormat;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Tools in each wire format: what the model is told, what its calls become, what an answer is held to. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ToolsTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String RESPONSES = "/v1/responses";
    private static final String MESSAGES = "/v1/messages";
    private static final String SCHEMA =
            "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}";
    private static final String TWO_CALLS =
            "Let me look.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"北京\"}}\n</tool_call>\n"
                    + "<tool_call>\n{\"name\": \"time\", \"arguments\": {}}\n</tool_call>";
    private static final String FORCED =
            "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"name\",\"arguments\"],"
                    + "\"properties\":{\"name\":{\"const\":\"weather\"},\"arguments\":" + SCHEMA + "}}";
    private static final String HELLO = "\"messages\": [{\"role\": \"user\", \"content\": \"hello\"}], ";
    private static final String CHAT_TOOLS = HELLO
            + "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"description\": \"of a city\", \"strict\": true, \"parameters\": "
            + SCHEMA + "}}, {\"type\": \"function\", \"function\": {\"name\": \"time\"}}]";
    private static final String RESPONSE_TOOLS =
            "\"input\": \"hello\", \"tools\": [{\"type\": \"function\", \"name\": \"weather\", \"parameters\": "
                    + SCHEMA + "}, {\"type\": \"function\", \"name\": \"time\"}]";
    private static final String MESSAGE_TOOLS = HELLO
            + "\"max_tokens\": 400, \"tools\": [{\"name\": \"weather\", \"input_schema\": " + SCHEMA
            + "}, {\"name\": \"time\", \"input_schema\": {\"type\": \"object\"}}]";

    private TestPlatform api;
    private TestPlatform.Customer customer;
    private OpenAIClient client;

    @BeforeAll
    void start() {
        api = TestPlatform.start("tools_test");
        customer = api.customer("1000");
        client = OpenAIOkHttpClient.builder()
                .baseUrl(api.uri("/v1").toString())
                .apiKey(customer.key())
                .build();
    }

    @AfterAll
    void stop() {
        client.close();
        api.close();
    }

    @Test
    void chat_callsWhole_asOpenAis() throws Exception {
        String answer = post(CHAT, CHAT_TOOLS, TWO_CALLS);
        assertThat(answer)
                .contains("\"message\":{\"role\":\"assistant\",\"content\":\"Let me look.\",\"tool_calls\":["
                        + "{\"id\":\"call_~\",\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":\"{\\\"city\\\": \\\"北京\\\"}\"}},"
                        + "{\"id\":\"call_~\",\"type\":\"function\",\"function\":{\"name\":\"time\",\"arguments\":\"{}\"}}],"
                        + "\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"tool_calls\"}");
        assertThat(api.scripted.prompt(request()))
                .startsWith("system\nYou can call")
                .contains(
                        "{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"description\":\"of a city\",\"parameters\":"
                                + SCHEMA + "}}\n")
                .endsWith("user\nhello\nassistant\n");
        assertThat(request().constraint()).isNull();
    }

    @Test
    void chat_callsAlone_contentIsNull() throws Exception {
        assertThat(post(CHAT, CHAT_TOOLS, "<tool_call>{\"name\": \"time\", \"arguments\": {}}</tool_call>"))
                .contains("\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{");
    }

    @Test
    void chat_callsStreamed_chunksAsOpenAis() throws Exception {
        String answer = post(
                CHAT,
                CHAT_TOOLS + ", \"stream\": true",
                "Oh\n<tool_call>\n{\"name\": \"time\", \"arguments\": {}}\n</tool_call>\n<tool_call>{\"name\": \"time\", \"arguments\": {}}</tool_call>");
        List<String> deltas = answer.lines()
                .filter(line -> line.contains("\"delta\":"))
                .map(line -> line.substring(line.indexOf("\"delta\":") + 8, line.length() - 2))
                .toList();
        String call =
                "{\"tool_calls\":[{\"index\":%d,\"id\":\"call_~\",\"type\":\"function\",\"function\":{\"name\":\"time\",\"arguments\":\"\"}}]}";
        String arguments = "{\"tool_calls\":[{\"index\":%d,\"function\":{\"arguments\":\"%s\"}}]}";
        String none = ",\"logprobs\":null,\"finish_reason\":null}";
        assertThat(deltas)
                .containsExactly(
                        "{\"role\":\"assistant\",\"content\":\"\"}" + none,
                        "{\"content\":\"O\"}" + none,
                        "{\"content\":\"h\"}" + none,
                        call.formatted(0) + none,
                        arguments.formatted(0, "{") + none,
                        arguments.formatted(0, "}") + none,
                        call.formatted(1) + none,
                        arguments.formatted(1, "{") + none,
                        arguments.formatted(1, "}") + none,
                        "{},\"logprobs\":null,\"finish_reason\":\"tool_calls\"}");
    }

    @Test
    void chat_malformedAndUnknownCalls_areText() throws Exception {
        String text = "<tool_call>{\"name\": \"unknown\", \"arguments\": {}}</tool_call> <tool_call>{nonsense";
        for (boolean stream : new boolean[] {false, true}) {
            String answer = post(CHAT, CHAT_TOOLS + ", \"stream\": " + stream, text);
            assertThat(answer).contains("\"finish_reason\":\"stop\"").doesNotContain("tool_calls");
            assertThat(answer).contains(stream ? "nonsense" : text.replace("\"", "\\\""));
        }
    }

    @Test
    void chat_oneCallOnly_theAnswerEndsWithIt() throws Exception {
        for (boolean stream : new boolean[] {false, true}) {
            String answer =
                    post(CHAT, CHAT_TOOLS + ", \"parallel_tool_calls\": false, \"stream\": " + stream, TWO_CALLS);
            assertThat(answer)
                    .contains("\"weather\"", "\"finish_reason\":\"tool_calls\"")
                    .doesNotContain("\"time\"");
            assertThat(api.scripted.openStreams()).isZero();
        }
    }

    @Test
    void chat_toolChoice_holdsTheAnswer() throws Exception {
        String call = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"x\"}}\n</tool_call>";
        String answer = post(
                CHAT,
                CHAT_TOOLS
                        + ", \"tool_choice\": {\"type\": \"function\", \"function\": {\"name\": \"weather\"}}, \"parallel_tool_calls\": false",
                call);
        assertThat(answer).contains("\"finish_reason\":\"tool_calls\"");
        assertThat(request().constraint())
                .isEqualTo(new Constraint.Framed(
                        "<tool_call>\n", "{\"anyOf\":[" + FORCED + "]}", "\n</tool_call>", "\n", 1));
        post(CHAT, CHAT_TOOLS + ", \"tool_choice\": \"required\"", call);
        assertThat(request().constraint()).isInstanceOfSatisfying(Constraint.Framed.class, framed -> {
            assertThat(framed.schema()).contains(FORCED, "{\"const\":\"time\"}");
            assertThat(framed.most()).isEqualTo(16);
        });
        String none = post(CHAT, CHAT_TOOLS + ", \"tool_choice\": \"none\"", call);
        assertThat(none).contains("\"finish_reason\":\"stop\"", "<tool_call>").doesNotContain("tool_calls");
        assertThat(api.scripted.prompt(request())).isEqualTo("user\nhello\nassistant\n");
    }

    @Test
    void chat_cutWithinACall_lengthAndWhatThereIs() throws Exception {
        assertThat(post(
                        CHAT,
                        CHAT_TOOLS + ", \"max_tokens\": 60",
                        "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"a long name\"}}"))
                .contains("\"arguments\":\"{\\\"city\\\": ", "\"finish_reason\":\"length\"");
    }

    @Test
    void messages_callsWhole_asAnthropics() throws Exception {
        assertThat(post(MESSAGES, MESSAGE_TOOLS, TWO_CALLS))
                .contains(
                        "\"content\":[{\"type\":\"text\",\"text\":\"Let me look.\"},"
                                + "{\"type\":\"tool_use\",\"id\":\"toolu_~\",\"name\":\"weather\",\"input\":{\"city\":\"北京\"}},"
                                + "{\"type\":\"tool_use\",\"id\":\"toolu_~\",\"name\":\"time\",\"input\":{}}],\"stop_reason\":\"tool_use\"");
        post(
                MESSAGES,
                MESSAGE_TOOLS + ", \"tool_choice\": {\"type\": \"any\", \"disable_parallel_tool_use\": true}",
                TWO_CALLS);
        assertThat(request().constraint())
                .isInstanceOfSatisfying(Constraint.Framed.class, framed -> assertThat(framed.most())
                        .isEqualTo(1));
        post(MESSAGES, MESSAGE_TOOLS + ", \"tool_choice\": {\"type\": \"tool\", \"name\": \"weather\"}", TWO_CALLS);
        assertThat(request().constraint())
                .isInstanceOfSatisfying(Constraint.Framed.class, framed -> assertThat(framed.schema())
                        .doesNotContain("time"));
        for (String bad : List.of("{\"type\": \"tool\", \"name\": \"x\"}", "{\"type\": \"some\"}")) {
            assertThat(post(MESSAGES, MESSAGE_TOOLS + ", \"tool_choice\": " + bad, "x"))
                    .contains("invalid_request_error", "tool_choice");
        }
    }

    @Test
    void messages_callsStreamed_eventsAsAnthropics() throws Exception {
        String answer = post(
                MESSAGES,
                MESSAGE_TOOLS + ", \"stream\": true",
                "Oh <tool_call>{\"name\": \"time\", \"arguments\": {}}</tool_call>");
        assertThat(answer.substring(
                        answer.indexOf("event: content_block_start"),
                        answer.indexOf(",\"usage\":{\"input_tokens\":", answer.indexOf("message_delta"))))
                .isEqualTo(
                        events(
                                        "content_block_start",
                                                "\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}",
                                        "ping", "",
                                        "content_block_delta",
                                                "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"O\"}",
                                        "content_block_delta",
                                                "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"h\"}",
                                        "content_block_stop", "\"index\":0",
                                        "content_block_start",
                                                "\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"id\":\"toolu_~\",\"name\":\"time\",\"input\":{}}",
                                        "content_block_delta",
                                                "\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\"}",
                                        "content_block_delta",
                                                "\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"}\"}",
                                        "content_block_stop", "\"index\":1")
                                + "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\",\"stop_sequence\":null}");
    }

    @Test
    void responses_callsWhole_areItemsAndGoneOnFrom() throws Exception {
        String answer = post(RESPONSES, RESPONSE_TOOLS, TWO_CALLS);
        assertThat(answer)
                .contains(
                        "\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"Let me look.\"")
                .contains(
                        "{\"id\":\"fc_~\",\"type\":\"function_call\",\"status\":\"completed\",\"arguments\":\"{\\\"city\\\": \\\"北京\\\"}\",\"call_id\":\"call_~\",\"name\":\"weather\"}")
                .contains("\"tools\":[{\"type\":\"function\",\"name\":\"weather\"");
        String id = answer.substring(answer.indexOf("resp_"), answer.indexOf('"', answer.indexOf("resp_")));
        api.scripted.says(Script.of("ok"));
        String body = "{\"model\": \"scripted\", \"previous_response_id\": \"" + id
                + "\", \"input\": [{\"type\": \"function_call_output\", \"call_id\": \"c\", \"output\": \"sunny\"}]}";
        assertThat(api.post(RESPONSES, customer.key(), body).statusCode()).isEqualTo(200);
        assertThat(api.scripted.prompt(request())).isEqualTo("""
                        user
                        hello
                        assistant
                        Let me look.
                        <tool_call>
                        {"name":"weather","arguments":{"city":"北京"}}
                        </tool_call>
                        <tool_call>
                        {"name":"time","arguments":{}}
                        </tool_call>
                        user
                        <tool_response>
                        sunny
                        </tool_response>
                        assistant
                        """);
    }

    @Test
    void responses_callsStreamed_eventsAsOpenAis() throws Exception {
        String answer = post(
                RESPONSES,
                RESPONSE_TOOLS + ", \"stream\": true, \"tool_choice\": {\"type\": \"function\", \"name\": \"time\"}",
                "<tool_call>\n{\"name\": \"time\", \"arguments\": {}}\n</tool_call>");
        assertThat(request().constraint()).isInstanceOf(Constraint.Framed.class);
        assertThat(answer.substring(
                        answer.indexOf("event: response.output_item.added"),
                        answer.indexOf("event: response.completed")))
                .isEqualTo(
                        events(
                                "response.output_item.added",
                                        "\"sequence_number\":2,\"output_index\":0,\"item\":{\"id\":\"fc_~\",\"type\":\"function_call\",\"status\":\"in_progress\",\"arguments\":\"\",\"call_id\":\"call_~\",\"name\":\"time\"}",
                                "response.function_call_arguments.delta",
                                        "\"sequence_number\":3,\"item_id\":\"fc_~\",\"output_index\":0,\"delta\":\"{\"",
                                "response.function_call_arguments.delta",
                                        "\"sequence_number\":4,\"item_id\":\"fc_~\",\"output_index\":0,\"delta\":\"}\"",
                                "response.function_call_arguments.done",
                                        "\"sequence_number\":5,\"item_id\":\"fc_~\",\"output_index\":0,\"arguments\":\"{}\"",
                                "response.output_item.done",
                                        "\"sequence_number\":6,\"output_index\":0,\"item\":{\"id\":\"fc_~\",\"type\":\"function_call\",\"status\":\"completed\",\"arguments\":\"{}\",\"call_id\":\"call_~\",\"name\":\"time\"}"));
    }

    @Test
    void openAiClient_roundOfTools_wholeAndStreamed() {
        api.scripted.says(Script.of(TWO_CALLS));
        ChatCompletionCreateParams.Builder asked = ChatCompletionCreateParams.builder()
                .model("scripted")
                .addUserMessage("hello")
                .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
                .addTool(tool("weather"))
                .addTool(tool("time"));
        ChatCompletion whole = client.chat().completions().create(asked.build());
        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        try (var stream = client.chat().completions().createStreaming(asked.build())) {
            stream.stream().forEach(accumulator::accumulate);
        }
        for (ChatCompletion answer : List.of(whole, accumulator.chatCompletion())) {
            ChatCompletion.Choice choice = answer.choices().getFirst();
            assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.TOOL_CALLS);
            List<ChatCompletionMessageFunctionToolCall> calls = choice.message().toolCalls().orElseThrow().stream()
                    .map(call -> call.asFunction())
                    .toList();
            assertThat(calls).extracting(call -> call.function().name()).containsExactly("weather", "time");
            assertThat(calls.getFirst().function().arguments()).isEqualTo("{\"city\": \"北京\"}");
        }
        ChatCompletionMessageFunctionToolCall call = whole.choices()
                .getFirst()
                .message()
                .toolCalls()
                .orElseThrow()
                .getFirst()
                .asFunction();
        client.chat()
                .completions()
                .create(asked.addMessage(whole.choices().getFirst().message())
                        .addMessage(ChatCompletionToolMessageParam.builder()
                                .toolCallId(call.id())
                                .content("sunny")
                                .build())
                        .toolChoice(ChatCompletionToolChoiceOption.Auto.AUTO)
                        .build());
        assertThat(api.scripted.prompt(request()))
                .contains("assistant\nLet me look.\n<tool_call>\n{\"name\":\"weather\"")
                .endsWith("user\n<tool_response>\nsunny\n</tool_response>\nassistant\n");
    }

    /** Held-back text is not paid for by a client that leaves, told text is: tokens come out with the text that they end in. */
    @Test
    void tokens_ofTextAndCalls_areReleasedWithWhatTheySay() {
        Calls calls = new Calls(ToolFormat.HERMES, Set.of("time"), true, "call_");
        ChoiceText text = new ChoiceText(api.scripted.vocabulary(), List.of(), calls);
        String answer = "Hi <tool_call>{\"name\": \"time\", \"arguments\": {}}</tool_call>";
        List<Integer> released = new ArrayList<>();
        for (byte b : answer.getBytes(StandardCharsets.UTF_8)) {
            ChoiceText.Delta delta = text.add(new GeneratedToken(b, Float.NaN, List.of()));
            if (!delta.isEmpty()) released.add(delta.tokens().size());
        }
        int toArguments = answer.indexOf("{}");
        assertThat(released).containsExactly(1, 1, toArguments + 1 - 2, 1, answer.length() - toArguments - 2);
        assertThat(text.end().isEmpty()).isTrue();
        assertThat(text.ended(GenerationEnd.Reason.STOP)).isEqualTo(new Finish.ToolCalls());
        assertThat(text.ended(GenerationEnd.Reason.LENGTH)).isEqualTo(new Finish.Length());
    }

    @Test
    void conversation_thatTheTemplateRefuses_isAnInvalidRequest() throws Exception {
        String borders = IntStream.range(0xFDD0, 0xFDF0)
                .mapToObj(c -> String.valueOf((char) c))
                .collect(Collectors.joining());
        String body =
                "{\"model\": \"scripted\", \"messages\": [{\"role\": \"user\", \"content\": \"" + borders + "\"}]}";
        HttpResponse<String> answer = api.post(CHAT, customer.key(), body);
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("invalid_request_error", "\"param\":\"messages\"");
    }

    private static ChatCompletionFunctionTool tool(String name) {
        return ChatCompletionFunctionTool.builder()
                .function(FunctionDefinition.builder()
                        .name(name)
                        .parameters(FunctionParameters.builder()
                                .putAllAdditionalProperties(Map.of("type", JsonValue.from("object")))
                                .build())
                        .build())
                .build();
    }

    /** @param namesAndFields by turns */
    private static String events(String... namesAndFields) {
        StringBuilder events = new StringBuilder();
        for (int i = 0; i < namesAndFields.length; i += 2) {
            events.append("event: ").append(namesAndFields[i]);
            events.append("\ndata: {\"type\":\"").append(namesAndFields[i]).append('"');
            if (!namesAndFields[i + 1].isEmpty()) events.append(',').append(namesAndFields[i + 1]);
            events.append("}\n\n");
        }
        return events.toString();
    }

    private GenerationRequest request() {
        return api.scripted.requests().getLast();
    }

    /** The answer with its ids made alike. */
    private String post(String path, String fields, String says) throws Exception {
        api.scripted.says(Script.of(says));
        return api.post(path, customer.key(), "{\"model\": \"scripted\", " + fields + "}")
                .body()
                .replaceAll("(call_|fc_|toolu_)[0-9a-f]{24}", "$1~");
    }
}
