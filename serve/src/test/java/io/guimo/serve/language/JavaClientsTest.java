package io.guimo.serve.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.BadRequestException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.ResponseFormatJsonSchema;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseStatus;
import com.openai.models.responses.ResponseStreamEvent;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import io.guimo.inference.generate.Constraint;
import io.guimo.serve.ScriptedGenerator.Script;
import io.guimo.serve.TestPlatform;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** OpenAI's own client for Java and LangChain4j, changed in nothing but address and key, with a model that runs here. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class JavaClientsTest {
    private TestPlatform api;
    private String key = "";
    private OpenAIClient client;

    @BeforeAll
    void start() {
        api = TestPlatform.start("java_clients_test");
        key = api.customer("100").key();
        client = OpenAIOkHttpClient.builder()
                .baseUrl(api.uri("/v1").toString())
                .apiKey(key)
                .build();
    }

    @AfterAll
    void stop() {
        client.close();
        api.close();
    }

    @Test
    void openAi_conversation_goesOnAndIsCounted() {
        api.scripted.says(new Script("Hello, 世界!", 4, 0, -1));
        ChatCompletionCreateParams.Builder conversation = ChatCompletionCreateParams.builder()
                .model("scripted")
                .addDeveloperMessage("Be brief")
                .addUserMessage("hello")
                .maxCompletionTokens(50)
                .temperature(0.5);
        ChatCompletion first = client.chat().completions().create(conversation.build());
        assertThat(first.choices().getFirst().message().content()).contains("Hello, 世界!");
        assertThat(first.choices().getFirst().finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        assertThat(first.usage()
                        .orElseThrow()
                        .promptTokensDetails()
                        .orElseThrow()
                        .cachedTokens())
                .contains(4L);
        // what it answered is sent back as its client writes it
        conversation.addMessage(first.choices().getFirst().message()).addUserMessage("and?");
        client.chat().completions().create(conversation.build());
        assertThat(api.scripted.prompt(api.scripted.requests().getLast()))
                .isEqualTo("system\nBe brief\nuser\nhello\nassistant\nHello, 世界!\nuser\nand?\nassistant\n");
    }

    @Test
    void openAi_stream_accumulatesToTheAnswer() {
        api.scripted.says(Script.of("streamed 茶"));
        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        try (var stream = client.chat()
                .completions()
                .createStreaming(ChatCompletionCreateParams.builder()
                        .model("scripted")
                        .addUserMessage("hello")
                        .n(2)
                        .logprobs(true)
                        .streamOptions(ChatCompletionStreamOptions.builder()
                                .includeUsage(true)
                                .build())
                        .build())) {
            stream.stream().forEach(accumulator::accumulate);
        }
        ChatCompletion whole = accumulator.chatCompletion();
        assertThat(whole.choices()).hasSize(2);
        assertThat(whole.choices().get(1).message().content()).contains("streamed 茶");
        assertThat(whole.usage().orElseThrow().completionTokens()).isEqualTo(24);
    }

    @Test
    void openAi_jsonSchemaAndRefusal_asItsTypes() {
        api.scripted.says(Script.of("{\"a\": 1}"));
        ChatCompletionCreateParams.Builder asked = ChatCompletionCreateParams.builder()
                .model("scripted")
                .addUserMessage("hello")
                .responseFormat(ResponseFormatJsonSchema.builder()
                        .jsonSchema(ResponseFormatJsonSchema.JsonSchema.builder()
                                .name("answer")
                                .strict(true)
                                .schema(ResponseFormatJsonSchema.JsonSchema.Schema.builder()
                                        .putAllAdditionalProperties(Map.of("type", JsonValue.from("object")))
                                        .build())
                                .build())
                        .build());
        client.chat().completions().create(asked.build());
        assertThat(api.scripted.requests().getFirst().constraint())
                .isEqualTo(new Constraint.JsonSchema("{\"type\":\"object\"}"));
        assertThatThrownBy(() ->
                        client.chat().completions().create(asked.temperature(9).build()))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining("'temperature'");
    }

    @Test
    void openAi_responses_keptStreamedAndGoneOnFrom() {
        api.scripted.says(Script.of("first"));
        Response first = client.responses()
                .create(ResponseCreateParams.builder()
                        .model("scripted")
                        .input("1?")
                        .build());
        assertThat(first.status()).contains(ResponseStatus.COMPLETED);
        assertThat(text(first)).isEqualTo("first");
        assertThat(text(client.responses().retrieve(first.id()))).isEqualTo("first");
        ResponseCreateParams next = ResponseCreateParams.builder()
                .model("scripted")
                .input("2?")
                .previousResponseId(first.id())
                .build();
        try (var stream = client.responses().createStreaming(next)) {
            List<ResponseStreamEvent> events = stream.stream().toList();
            assertThat(text(events.getLast().completed().orElseThrow().response()))
                    .isEqualTo("first");
            assertThat(events.stream()
                            .flatMap(e -> e.outputTextDelta().stream())
                            .map(d -> d.delta())
                            .toList())
                    .containsExactly("f", "i", "r", "s", "t");
        }
        assertThat(api.scripted.prompt(api.scripted.requests().getLast()))
                .isEqualTo("user\n1?\nassistant\nfirst\nuser\n2?\nassistant\n");
        client.responses().delete(first.id());
    }

    @Test
    void openAi_completions_wholeAndStreamed() {
        api.scripted.says(Script.of("def"));
        CompletionCreateParams asked =
                CompletionCreateParams.builder().model("scripted").prompt("abc").build();
        assertThat(client.completions().create(asked).choices().getFirst().text())
                .isEqualTo("def");
        try (var stream = client.completions().createStreaming(asked)) {
            assertThat(stream.stream().count()).isEqualTo(4);
        }
    }

    @Test
    void langChain4j_conversation_answered() {
        api.scripted.says(Script.of("Hello, 世界!"));
        OpenAiChatModel model = OpenAiChatModel.builder()
                .baseUrl(api.uri("/v1").toString())
                .apiKey(key)
                .modelName("scripted")
                .temperature(0.3)
                .topP(0.9)
                .maxCompletionTokens(40)
                .stop(List.of("STOP"))
                .seed(7)
                .user("u")
                .build();
        ChatResponse answer = model.chat(
                SystemMessage.from("Be brief"),
                UserMessage.from("hello"),
                AiMessage.from("what?"),
                UserMessage.from("hello!"));
        assertThat(answer.aiMessage().text()).isEqualTo("Hello, 世界!");
        assertThat(answer.tokenUsage().outputTokenCount()).isEqualTo(14);
        assertThat(api.scripted.prompt(api.scripted.requests().getFirst()))
                .isEqualTo("system\nBe brief\nuser\nhello\nassistant\nwhat?\nuser\nhello!\nassistant\n");
    }

    @Test
    void langChain4j_stream_piecesAndUsage() throws Exception {
        api.scripted.says(Script.of("streamed 茶"));
        OpenAiStreamingChatModel model = OpenAiStreamingChatModel.builder()
                .baseUrl(api.uri("/v1").toString())
                .apiKey(key)
                .modelName("scripted")
                .build();
        Queue<String> pieces = new ConcurrentLinkedQueue<>();
        CompletableFuture<ChatResponse> whole = new CompletableFuture<>();
        model.chat("hello", new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(String piece) {
                pieces.add(piece);
            }

            @Override
            public void onCompleteResponse(ChatResponse response) {
                whole.complete(response);
            }

            @Override
            public void onError(Throwable error) {
                whole.completeExceptionally(error);
            }
        });
        ChatResponse answer = whole.get(30, TimeUnit.SECONDS);
        assertThat(answer.aiMessage().text()).isEqualTo("streamed 茶");
        assertThat(String.join("", pieces)).isEqualTo("streamed 茶");
        assertThat(answer.tokenUsage().outputTokenCount()).isEqualTo(12);
    }

    private static String text(Response response) {
        return response.output()
                .getFirst()
                .asMessage()
                .content()
                .getFirst()
                .asOutputText()
                .text();
    }
}
