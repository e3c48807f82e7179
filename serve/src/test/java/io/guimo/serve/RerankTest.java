package io.guimo.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.units.Money;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;

class RerankTest {
    @Test
    void rerank_documentsOfEachForm_byCosineAndCharged() throws Exception {
        try (TestPlatform api = TestPlatform.start("rerank_test")) {
            TestPlatform.Customer customer = api.customer("1");
            Money before = api.available(customer);
            // the model's vector turns with the length of the text: 3 letters are nearest to 3 letters
            HttpResponse<String> answer = api.post(
                    "/v1/rerank",
                    customer.key(),
                    "{\"model\": \"letters\", \"query\": \"abc\", \"documents\": [\"a\", {\"text\": \"xyz\"}, \"four\"], \"top_n\": 2,"
                            + " \"return_documents\": true}");
            assertThat(answer.body())
                    .contains("\"model\":\"letters\",\"results\":[{\"index\":1,\"relevance_score\":")
                    .contains("\"document\":{\"text\":\"xyz\"}},{\"index\":2,\"relevance_score\":0.54")
                    .contains(
                            "\"document\":{\"text\":\"four\"}}],\"usage\":{\"prompt_tokens\":19,\"total_tokens\":19}}");
            assertThat(before.minus(api.available(customer))).isEqualTo(Money.of(TestPlatform.CNY, "0.0000038"));
            for (String bad :
                    new String[] {"\"documents\": []", "\"documents\": [5]", "\"documents\": [\"a\"], \"top_n\": 0"}) {
                assertThat(api.post(
                                        "/v1/rerank",
                                        customer.key(),
                                        "{\"model\": \"letters\", \"query\": \"a\", " + bad + "}")
                                .statusCode())
                        .isEqualTo(400);
            }
        }
    }
}
