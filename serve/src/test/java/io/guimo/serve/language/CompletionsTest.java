package io.guimo.serve.language;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.inference.generate.GenerationRequest;
import io.guimo.serve.ScriptedGenerator.Script;
import io.guimo.serve.TestPlatform;
import io.guimo.units.Money;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code POST /v1/completions} as it is on the wire. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CompletionsTest {
    private TestPlatform api;
    private TestPlatform.Customer customer;

    @BeforeAll
    void start() {
        api = TestPlatform.start("completions_test");
        customer = api.customer("1000");
    }

    @AfterAll
    void stop() {
        api.close();
    }

    @Test
    void whole_promptsOfEachForm_continuedAndCharged() throws Exception {
        api.scripted.says(new Script("!", 0, 0, -1));
        Money before = api.available(customer);
        HttpResponse<String> text = post("\"prompt\": \"ab\"");
        assertThat(text.body().replaceAll("req_\\w+|fp_\\w+|\"created\":\\d+", "~"))
                .isEqualTo("{\"id\":\"cmpl-~\",\"object\":\"text_completion\",~,\"model\":\"scripted\","
                        + "\"system_fingerprint\":\"~\",\"choices\":[{\"text\":\"!\",\"index\":0,\"logprobs\":null,"
                        + "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":1,\"total_tokens\":3,"
                        + "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
                        + "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,"
                        + "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}}");
        assertThat(before.minus(api.available(customer))).isEqualTo(Money.of(TestPlatform.CNY, "0.004"));
        assertThat(api.scripted.requests().getFirst().maxTokens()).isEqualTo(16);
        HttpResponse<String> several = post("\"prompt\": [[97, 98], [99]], \"n\": 2, \"echo\": true");
        assertThat(several.body())
                .contains("\"text\":\"ab!\",\"index\":0", "\"text\":\"ab!\",\"index\":1", "\"text\":\"c!\",\"index\":3")
                .contains("\"prompt_tokens\":3,\"completion_tokens\":4");
        assertThat(api.scripted.requests().stream().skip(1).map(GenerationRequest::prompt))
                .containsExactly(new int[] {97, 98}, new int[] {97, 98}, new int[] {99}, new int[] {99});
    }

    @Test
    void stream_echoAndUsage_chunksThenDone() throws Exception {
        api.scripted.says(new Script("cd", 0, 0, -1));
        String answer =
                post("\"prompt\": \"ab\", \"echo\": true, \"stream\": true, \"stream_options\": {\"include_usage\": true}")
                        .body();
        assertThat(answer.lines()
                        .filter(l -> l.contains("\"text\""))
                        .map(l -> l.replaceAll(".*\"text\":\"(\\w*)\".*", "$1")))
                .containsExactly("ab", "c", "d", "");
        assertThat(answer)
                .contains("\"choices\":[],\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":2")
                .endsWith("data: [DONE]\n\n");
    }

    @Test
    void logprobs_olderShape_offsetsInCharacters() throws Exception {
        api.scripted.says(new Script("é!", 0, 0, -1));
        assertThat(post("\"prompt\": \"ab\", \"logprobs\": 1").body())
                .contains("\"logprobs\":{\"tokens\":[\"bytes:\\\\xc3\",\"bytes:\\\\xa9\",\"!\"],"
                        + "\"token_logprobs\":[-0.5,-0.5,-0.5],"
                        + "\"top_logprobs\":[{\"C\":-0.5},{\")\":-0.5},{\"!\":-0.5}],\"text_offset\":[0,1,1]}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "prompt": []                                 | prompt
            "prompt": ""                                 | prompt
            "prompt": [[]]                               | prompt
            "prompt": ["a", ""]                          | prompt[1]
            "prompt": ["a", 5]                           | prompt[1]
            "prompt": [999]                              | prompt
            "prompt": "a", "suffix": "b"                 | suffix
            "prompt": "a", "logprobs": 6                 | logprobs
            "prompt": "a", "logprobs": 1, "echo": true   | echo
            "prompt": "a", "best_of": 3                  | best_of
            "prompt": "a", "max_tokens": 0               | max_tokens
            """)
    void badField_refusedByName(String fields, String param) throws Exception {
        HttpResponse<String> answer = post(fields);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
        assertThat(answer.body()).contains("\"param\":\"" + param + "\"");
    }

    @Test
    void modelOfAnotherKind_refusedWithItsAddress() throws Exception {
        HttpResponse<String> answer =
                api.post("/v1/completions", customer.key(), "{\"model\": \"letters\", \"prompt\": \"a\"}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("POST /v1/embeddings");
    }

    private HttpResponse<String> post(String fields) throws Exception {
        return api.post("/v1/completions", customer.key(), "{\"model\": \"scripted\", " + fields + "}");
    }
}
