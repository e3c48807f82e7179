package io.guimo.serve.language;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.serve.ScriptedGenerator.Script;
import io.guimo.serve.TestPlatform;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;

/** Spring AI, changed in nothing but address and key, with a model that runs here. */
class SpringAiClientTest {
    @Test
    void conversationAndStream_answeredAndCounted() {
        try (TestPlatform api = TestPlatform.start("spring_ai_client_test")) {
            api.scripted.says(Script.of("Hello, 世界!"));
            OpenAiChatModel model = OpenAiChatModel.builder()
                    .options(OpenAiChatOptions.builder()
                            .baseUrl(api.uri("/v1").toString())
                            .apiKey(api.customer("100").key())
                            .model("scripted")
                            .temperature(0.3)
                            .maxTokens(40)
                            .build())
                    .build();
            ChatResponse answer =
                    model.call(new Prompt(List.of(new SystemMessage("Be brief"), new UserMessage("hello"))));
            assertThat(Objects.requireNonNull(answer.getResult()).getOutput().getText())
                    .isEqualTo("Hello, 世界!");
            assertThat(answer.getMetadata().getUsage().getCompletionTokens()).isEqualTo(14);
            assertThat(api.scripted.prompt(api.scripted.requests().getFirst()))
                    .isEqualTo("system\nBe brief\nuser\nhello\nassistant\n");

            String streamed = model.stream(new Prompt("hello"))
                    .toStream()
                    .filter(r -> r.getResult() != null)
                    .map(r -> Objects.requireNonNullElse(
                            Objects.requireNonNull(r.getResult()).getOutput().getText(), ""))
                    .collect(Collectors.joining());
            assertThat(streamed).isEqualTo("Hello, 世界!");
        }
    }
}
