package io.guimo.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.errors.NotFoundException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.models.Model;
import java.util.List;
import org.junit.jupiter.api.Test;

/** OpenAI's own client for Java, changed in nothing but its address and key. */
class OpenAiClientTest {
    @Test
    void client_unchanged_listsEmbedsAndChats() throws Exception {
        try (TestPlatform api = TestPlatform.start("open_ai_client_test")) {
            OpenAIClient client = client(api, api.customer("10").key());
            assertThat(client.models().list().autoPager().stream().map(Model::id))
                    .containsExactly("letters", "long-talker", "rest", "scripted", "shapes", "slow-talker", "talker");
            assertThat(client.models().retrieve("letters").id()).isEqualTo("letters");

            CreateEmbeddingResponse embedded = client.embeddings()
                    .create(EmbeddingCreateParams.builder()
                            .model("letters")
                            .inputOfArrayOfStrings(List.of("a", "bc"))
                            .build());
            assertThat(embedded.data()).hasSize(2);
            assertThat(embedded.data().getFirst().embedding().getFirst()).isEqualTo((float) Math.cos(3));
            assertThat(embedded.usage().totalTokens()).isEqualTo(7);

            ChatCompletionCreateParams hello = ChatCompletionCreateParams.builder()
                    .model("talker")
                    .addUserMessage("hello")
                    .build();
            ChatCompletion said = client.chat().completions().create(hello);
            assertThat(said.choices().getFirst().message().content()).contains("ok");
            try (var stream = client.chat().completions().createStreaming(hello)) {
                assertThat(stream.stream().count()).isEqualTo(5);
            }
        }
    }

    @Test
    void client_refused_throwsItsOwnKinds() throws Exception {
        try (TestPlatform api = TestPlatform.start("open_ai_client_test")) {
            OpenAIClient stranger = client(api, "sk-guimo-wrong");
            assertThatThrownBy(() -> stranger.models().list()).isInstanceOf(UnauthorizedException.class);
            OpenAIClient poor = client(api, api.customer("0").key());
            EmbeddingCreateParams.Builder request =
                    EmbeddingCreateParams.builder().input("a");
            assertThatThrownBy(() ->
                            poor.embeddings().create(request.model("letters").build()))
                    .isInstanceOf(RateLimitException.class);
            assertThatThrownBy(
                            () -> poor.embeddings().create(request.model("none").build()))
                    .isInstanceOf(NotFoundException.class);
        }
    }

    private static OpenAIClient client(TestPlatform api, String key) {
        return OpenAIOkHttpClient.builder()
                .baseUrl(api.uri("/v1").toString())
                .apiKey(key)
                .maxRetries(2)
                .build();
    }
}
