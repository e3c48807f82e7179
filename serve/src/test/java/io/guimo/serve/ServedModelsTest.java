package io.guimo.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.units.Money;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What is answered and what is charged for it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ServedModelsTest {
    private static final String BREAD = "{\"model\": \"rest\", \"items\": [\"bread\"], \"limit\": 2}";
    private static final String HELLO =
            "{\"model\": \"%s\", \"messages\": [{\"role\": \"user\", \"content\": \"hello\"}], \"stream\": %s}";
    private TestPlatform api;

    @BeforeAll
    void start() {
        api = TestPlatform.start("served_models_test");
    }

    @AfterAll
    void stop() {
        api.close();
    }

    @Test
    void models_listed_onlyThoseOfThePlan() throws Exception {
        TestPlatform.Customer customer = api.customer("1");
        HttpResponse<String> list = api.get("/v1/models", customer.key());
        assertThat(list.body())
                .contains("\"object\":\"list\"", "\"id\":\"letters\"", "\"id\":\"shapes\"")
                .doesNotContain("unsold");
        assertThat(api.get("/v1/models/letters", customer.key()).statusCode()).isEqualTo(200);
        HttpResponse<String> hidden = api.get("/v1/models/unsold", customer.key());
        assertThat(hidden.statusCode()).isEqualTo(404);
        assertThat(hidden.body()).contains("model_not_found");
    }

    @Test
    void predict_jsonAndUpload_answerOfTheIssueAndPrice() throws Exception {
        TestPlatform.Customer customer = api.customer("1");
        byte[] image = BadInputTest.png(8, 4);
        String base64 = Base64.getEncoder().encodeToString(image);
        HttpResponse<String> json = api.post(
                "/v1/predict/shapes",
                customer.key(),
                "{\"images\": [\"" + base64 + "\", \"data:image/png;base64," + base64 + "\"]}");
        assertThat(json.body())
                .isEqualTo("{\"object\":\"list\",\"model\":\"shapes\",\"data\":["
                        + "{\"index\":0,\"label\":\"wide\",\"probability\":0.75,\"labels\":[{\"label\":\"wide\",\"probability\":0.75},{\"label\":\"tall\",\"probability\":0.25}]},"
                        + "{\"index\":1,\"label\":\"wide\",\"probability\":0.75,\"labels\":[{\"label\":\"wide\",\"probability\":0.75},{\"label\":\"tall\",\"probability\":0.25}]}],"
                        + "\"usage\":{\"images\":2}}");
        assertThat(json.headers().firstValue("x-guimo-amount")).contains("0.004");
        assertThat(json.headers().firstValue("x-guimo-currency")).contains("CNY");
        assertThat(json.headers().firstValue("x-guimo-receipt"))
                .isEqualTo(json.headers().firstValue("x-request-id"));

        HttpResponse<String> upload = api.client.send(
                HttpRequest.newBuilder(api.uri("/predict/shapes"))
                        .header("authorization", "Bearer " + customer.key())
                        .header("content-type", "multipart/form-data; boundary=b")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(BadInputTest.form("file", image)))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(upload.body()).contains("\"usage\":{\"images\":1}");
        assertThat(api.available(customer)).isEqualTo(yuan("0.994"));
    }

    @Test
    void recommendations_limited_chargedByTheRequest() throws Exception {
        TestPlatform.Customer customer = api.customer("1");
        HttpResponse<String> answer = api.post("/v1/recommendations", customer.key(), BREAD);
        assertThat(answer.body())
                .isEqualTo(
                        "{\"data\":[{\"item\":\"milk\",\"score\":0.5},{\"item\":\"tea\",\"score\":0.5}],\"usage\":{\"requests\":1}}");
        assertThat(api.available(customer)).isEqualTo(yuan("0.9995"));
    }

    @Test
    void embeddings_eachForm_sameVectorsAndTokens() throws Exception {
        TestPlatform.Customer customer = api.customer("1");
        HttpResponse<String> floats =
                api.post("/v1/embeddings", customer.key(), "{\"model\": \"letters\", \"input\": [\"a\", \"bc\"]}");
        assertThat(floats.body())
                .startsWith(
                        "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":[-0.9899925,0.14112")
                .endsWith("\"model\":\"letters\",\"usage\":{\"prompt_tokens\":7,\"total_tokens\":7}}");
        HttpResponse<String> base64 = api.post(
                "/v1/embeddings",
                customer.key(),
                "{\"model\": \"letters\", \"input\": [1, 2, 3], \"encoding_format\": \"base64\"}");
        assertThat(base64.body()).contains("\"embedding\":\"JnB9v").contains("\"prompt_tokens\":3");
        HttpResponse<String> lists = api.post(
                "/v1/embeddings",
                customer.key(),
                "{\"model\": \"letters\", \"input\": [[1, 2, 3], [4]], \"user\": \"u\"}");
        assertThat(lists.body()).contains("\"prompt_tokens\":4");
        assertThat(api.available(customer)).isEqualTo(yuan("1").minus(yuan("0.0000028")));
    }

    @Test
    void chat_whole_chargedAsReported() throws Exception {
        TestPlatform.Customer customer = api.customer("10");
        HttpResponse<String> answer =
                api.post("/v1/chat/completions", customer.key(), HELLO.formatted("talker", false));
        assertThat(answer.body()).contains("\"content\":\"ok\"");
        assertThat(answer.headers().firstValue("x-guimo-amount")).contains("0.019"); // 9 × .001 + 5 × .002
        assertThat(api.available(customer)).isEqualTo(yuan("9.981"));
    }

    @Test
    void chat_stream_endsWithDoneAndCharged() throws Exception {
        TestPlatform.Customer customer = api.customer("10");
        HttpResponse<String> answer = api.post("/v1/chat/completions", customer.key(), HELLO.formatted("talker", true));
        assertThat(answer.headers().firstValue("content-type").orElseThrow()).startsWith("text/event-stream");
        assertThat(answer.body())
                .contains("\"w4 \"")
                .endsWith("data: [DONE]\n\n")
                .doesNotContain("usage");
        assertThat(api.available(customer)).isEqualTo(yuan("9.981"));
    }

    @Test
    void chat_streamLongerThanABlock_extendedAndCharged() throws Exception {
        TestPlatform.Customer customer = api.customer("10");
        HttpResponse<String> answer =
                api.post("/v1/chat/completions", customer.key(), HELLO.formatted("long-talker", true));
        assertThat(answer.body()).contains("\"w699 \"");
        assertThat(api.available(customer)).isEqualTo(yuan("10").minus(yuan("1.409")));
    }

    @Test
    void chat_moneyEndsInTheStream_cutWithLengthAndNotOverdrawn() throws Exception {
        TestPlatform.Customer customer = api.customer("1");
        HttpResponse<String> answer =
                api.post("/v1/chat/completions", customer.key(), HELLO.formatted("long-talker", true));
        assertThat(answer.body())
                .contains("\"finish_reason\":\"length\"")
                .endsWith("data: [DONE]\n\n")
                .doesNotContain("\"w699 \"");
        assertThat(api.available(customer).signum()).isNotNegative();
        long delivered =
                answer.body().lines().filter(l -> l.contains("\"content\"")).count();
        assertThat(delivered).isGreaterThanOrEqualTo(256);
    }

    @Test
    void idempotencyKey_repeated_sameAnswerChargedOnce() throws Exception {
        TestPlatform.Customer customer = api.customer("1");
        HttpResponse<String> first = api.post("/v1/recommendations", customer.key(), BREAD, "idempotency-key", "one");
        HttpResponse<String> second = api.post("/v1/recommendations", customer.key(), BREAD, "idempotency-key", "one");
        assertThat(second.body()).isEqualTo(first.body());
        assertThat(second.headers().firstValue("x-guimo-replayed")).contains("true");
        assertThat(second.headers().firstValue("x-guimo-receipt"))
                .isEqualTo(first.headers().firstValue("x-guimo-receipt"));
        assertThat(api.available(customer)).isEqualTo(yuan("0.9995"));
    }

    @Test
    void idempotencyKey_otherContent_refused() throws Exception {
        TestPlatform.Customer customer = api.customer("1");
        api.post("/v1/recommendations", customer.key(), BREAD, "idempotency-key", "two");
        HttpResponse<String> other = api.post(
                "/v1/recommendations",
                customer.key(),
                "{\"model\": \"rest\", \"items\": [\"tea\"]}",
                "idempotency-key",
                "two");
        assertThat(other.statusCode()).isEqualTo(422);
        BadInputTest.assertShape(other, "idempotency_mismatch");
    }

    @Test
    void idempotencyKey_ofAnotherOrganisation_isAnotherKey() throws Exception {
        TestPlatform.Customer one = api.customer("1");
        TestPlatform.Customer other = api.customer("1");
        api.post("/v1/recommendations", one.key(), BREAD, "idempotency-key", "three");
        HttpResponse<String> answer = api.post("/v1/recommendations", other.key(), BREAD, "idempotency-key", "three");
        assertThat(answer.headers().firstValue("x-guimo-replayed")).isEmpty();
        assertThat(api.available(other)).isEqualTo(yuan("0.9995"));
    }

    @Test
    void idempotencyKey_afterARefusal_isFree() throws Exception {
        TestPlatform.Customer customer = api.customer("1");
        String unknown = "{\"model\": \"rest\", \"items\": [\"cheese\"]}";
        assertThat(api.post("/v1/recommendations", customer.key(), unknown, "idempotency-key", "four")
                        .statusCode())
                .isEqualTo(400);
        assertThat(api.post("/v1/recommendations", customer.key(), BREAD, "idempotency-key", "four")
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void idempotencyKey_ofAStream_replaysTheStream() throws Exception {
        TestPlatform.Customer customer = api.customer("10");
        int before = api.chatCalls.get();
        String body = HELLO.formatted("talker", true);
        HttpResponse<String> first = api.post("/v1/chat/completions", customer.key(), body, "idempotency-key", "five");
        HttpResponse<String> second = api.post("/v1/chat/completions", customer.key(), body, "idempotency-key", "five");
        assertThat(second.body()).isEqualTo(first.body());
        assertThat(second.headers().firstValue("content-type").orElseThrow()).startsWith("text/event-stream");
        assertThat(api.chatCalls.get()).isEqualTo(before + 1);
        assertThat(api.available(customer)).isEqualTo(yuan("9.981"));
    }

    @Test
    void idempotencyKey_twoAtOnce_oneServedOneWaitsOrReplays() throws Exception {
        TestPlatform.Customer customer = api.customer("1");
        var both = List.of(
                api.client.sendAsync(keyed(customer), HttpResponse.BodyHandlers.ofString()),
                api.client.sendAsync(keyed(customer), HttpResponse.BodyHandlers.ofString()));
        for (var answer : both) assertThat(answer.get().statusCode()).isIn(200, 409);
        assertThat(both).anyMatch(a -> a.join().statusCode() == 200);
        assertThat(api.available(customer)).isEqualTo(yuan("0.9995"));
    }

    @Test
    void h2c_client_servedAndCharged() throws Exception {
        TestPlatform.Customer customer = api.customer("1");
        try (HttpClient http2 =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()) {
            for (int i = 0; i < 3; i++) {
                HttpResponse<String> answer = http2.send(
                        api.request("/v1/recommendations", customer.key())
                                .POST(HttpRequest.BodyPublishers.ofString(BREAD))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
                assertThat(answer.statusCode()).isEqualTo(200);
            }
        }
        assertThat(api.available(customer)).isEqualTo(yuan("0.9985"));
    }

    @Test
    void metricsAndHealth_open_withoutKey() throws Exception {
        assertThat(api.get("/health/live", "").body()).isEqualTo("{\"status\":\"live\"}");
        assertThat(api.get("/health/ready", "").statusCode()).isEqualTo(200);
        assertThat(api.get("/metrics", "").body()).contains("guimo_http_requests_seconds_count");
    }

    private HttpRequest keyed(TestPlatform.Customer customer) {
        return api.request("/v1/recommendations", customer.key())
                .header("idempotency-key", "six")
                .POST(HttpRequest.BodyPublishers.ofString(BREAD))
                .build();
    }

    private static Money yuan(String amount) {
        return Money.of(TestPlatform.CNY, amount);
    }
}
