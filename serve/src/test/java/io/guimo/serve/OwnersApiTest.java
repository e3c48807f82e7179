package io.guimo.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The owner's day, by HTTP alone: a customer is made, priced, credited, served, invoiced, and all of it can be looked up. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OwnersApiTest {
    private static final JsonMapper JSON = JsonMapper.shared();
    private TestPlatform api;

    @BeforeAll
    void start() {
        api = TestPlatform.start("owners_api_test");
    }

    @AfterAll
    void stop() {
        api.close();
    }

    @Test
    void customer_fromNothingToAnInvoice() throws Exception {
        JsonNode plan = made("/admin/v1/plans", "{\"name\": \"tiers\", \"currency\": \"CNY\"}");
        assertThat(plan.get("fee").stringValue()).isEqualTo("0");
        JsonNode price = made(
                "/admin/v1/plans/tiers/prices",
                "{\"product\": \"rest\", \"price\": {\"per\": \"request\", \"tiers\": [{\"up_to\": 3, \"each\": \"0.002\"}, {\"each\": 0.001}]}}");
        assertThat(price.at("/rules/requests/tiers/1/amount").stringValue()).isEqualTo("0.001");

        JsonNode organization = made(
                "/admin/v1/organizations",
                "{\"name\": \"演示 Demo\", \"sandbox\": true, \"zone\": \"Asia/Shanghai\", \"currency\": \"CNY\"}");
        String id = organization.get("id").stringValue();
        String base = "/admin/v1/organizations/" + id;
        made(base + "/subscriptions", "{\"plan\": \"tiers\"}");
        made(base + "/credits", "{\"amount\": \"1.5\"}");
        JsonNode project = made(base + "/projects", "{\"name\": \"shop\"}");
        JsonNode key = made(
                base + "/keys",
                "{\"name\": \"first\", \"project\": \"" + project.get("id").stringValue() + "\"}");
        String secret = key.get("secret").stringValue();

        String request = "";
        for (int i = 0; i < 5; i++) {
            HttpResponse<String> used =
                    api.post("/v1/recommendations", secret, "{\"model\": \"rest\", \"items\": [\"tea\"]}");
            assertThat(used.statusCode()).as(used.body()).isEqualTo(200);
            request = used.headers().firstValue("x-request-id").orElseThrow();
        }
        assertThat(read("/v1/balance", secret).get("available").stringValue()).isEqualTo("1.492");

        JsonNode receipt = read("/admin/v1/receipts/" + request, api.ownerKey);
        assertThat(receipt.get("amount").stringValue()).isEqualTo("0.001");
        assertThat(receipt.at("/lines/0/steps/0/tier").intValue()).isEqualTo(2);
        assertThat(receipt.at("/lines/0/before").intValue()).isEqualTo(4);
        assertThat(receipt.get("postings").size()).isEqualTo(2);
        assertThat(read("/v1/receipts/" + request, secret)).isEqualTo(receipt);
        JsonNode replay = made("/admin/v1/receipts/" + request + "/verify", "{}");
        assertThat(replay.get("agrees").booleanValue()).isTrue();

        JsonNode usage = read("/admin/v1/usage?organization=" + id + "&limit=2", api.ownerKey);
        assertThat(usage.get("data").size()).isEqualTo(2);
        assertThat(usage.get("has_more").booleanValue()).isTrue();
        JsonNode next = read(
                "/admin/v1/usage?organization=" + id + "&limit=10&after="
                        + usage.get("next_cursor").stringValue(),
                api.ownerKey);
        assertThat(next.get("data").size()).isEqualTo(3);
        JsonNode sums = read("/v1/usage/sums", secret);
        assertThat(sums.at("/data/0/quantity").intValue()).isEqualTo(5);
        assertThat(sums.at("/data/0/amount").stringValue()).isEqualTo("0.008");
        JsonNode days = read("/v1/usage/days", secret);
        assertThat(days.at("/data/0/requests").intValue()).isEqualTo(5);
        assertThat(days.at("/data/0/quantities/requests").intValue()).isEqualTo(5);

        JsonNode draft = read("/v1/invoices", secret).at("/data/0");
        assertThat(draft.get("status").stringValue()).isEqualTo("draft");
        JsonNode turned =
                made(base + "/clock", "{\"to\": \"" + java.time.Instant.now().plusSeconds(40 * 86_400L) + "\"}");
        assertThat(turned.get("sandbox").booleanValue()).isTrue();
        JsonNode invoice =
                read("/admin/v1/invoices?organization=" + id, api.ownerKey).at("/data/0");
        assertThat(invoice.get("status").stringValue()).isEqualTo("final");
        assertThat(invoice.get("total").stringValue()).isEqualTo("0.01");
        assertThat(invoice.at("/lines/0/exact").stringValue()).isEqualTo("0.008");
        String invoicePath = "/admin/v1/invoices/" + invoice.get("id").stringValue();
        assertThat(read(invoicePath, api.ownerKey)).isEqualTo(invoice);
        HttpResponse<byte[]> pdf = api.client.send(
                api.request(invoicePath + "/pdf", api.ownerKey).GET().build(), HttpResponse.BodyHandlers.ofByteArray());
        assertThat(new String(pdf.body(), 0, 5, StandardCharsets.US_ASCII)).isEqualTo("%PDF-");
        assertThat(read("/admin/v1/ledger/verify", api.ownerKey).get("right").booleanValue())
                .isTrue();
        assertThat(read("/admin/v1/overview", api.ownerKey)
                        .get("models_serving")
                        .intValue())
                .isPositive();
        assertThat(read("/admin/v1/economics", api.ownerKey).get("data").size()).isZero();
    }

    @Test
    void price_withAPolicyForAborts_frozenAndShown() throws Exception {
        String path = "/admin/v1/plans/payg/prices";
        String price = "{\"product\": \"aborted\", \"price\": {\"per\": \"request\", \"each\": 1}";
        assertThat(api.post(path, api.ownerKey, price + ", \"aborts\": \"nothing under 20 tokens\"}")
                        .body())
                .contains("\"aborts\":\"nothing under 20 tokens\"");
        assertThat(api.post(path, api.ownerKey, price + "}").body()).contains("\"aborts\":\"delivered\"");
        assertThat(api.get(path, api.ownerKey).body())
                .contains("\"aborts\":\"nothing under 20 tokens\"", "\"aborts\":\"delivered\"");
        assertThat(api.post(path, api.ownerKey, price + ", \"aborts\": \"free\"}")
                        .statusCode())
                .isEqualTo(400);
    }

    @Test
    void command_repeatedUnderItsKey_doneOnce() throws Exception {
        String body = "{\"name\": \"Once\", \"zone\": \"UTC\", \"currency\": \"USD\"}";
        HttpResponse<String> first =
                api.post("/admin/v1/organizations", api.ownerKey, body, "idempotency-key", "make-once");
        HttpResponse<String> again =
                api.post("/admin/v1/organizations", api.ownerKey, body, "idempotency-key", "make-once");
        assertThat(JSON.readTree(again.body()).get("id"))
                .isEqualTo(JSON.readTree(first.body()).get("id"));
        HttpResponse<String> other = api.post(
                "/admin/v1/organizations", api.ownerKey, body.replace("Once", "Twice"), "idempotency-key", "make-once");
        assertThat(other.statusCode()).isEqualTo(422);
        BadInputTest.assertShape(other, "idempotency_mismatch");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            /admin/v1/organizations | {"name": "", "zone": "UTC", "currency": "USD"}                    | 400
            /admin/v1/organizations | {"name": "a", "zone": "Mars/Base", "currency": "USD"}             | 400
            /admin/v1/organizations | {"name": "a", "zone": "UTC", "currency": "Mark"}                  | 400
            /admin/v1/organizations | {"name": "a"}                                                     | 400
            /admin/v1/organizations/org_none/credits | {"amount": 5}                                    | 404
            /admin/v1/organizations/org_none/keys | {"name": "a"}                                       | 404
            /admin/v1/organizations/org_none/projects | {"name": "a"}                                   | 404
            /admin/v1/organizations/org_none/subscriptions | {"plan": "payg"}                           | 404
            /admin/v1/organizations/org_none/clock | {"to": "2030-01-01T00:00:00Z"}                     | 404
            /admin/v1/organizations/%2F..%2F/credits | {"amount": 5}                                    | 404
            /admin/v1/organizations/OPERATOR/credits | {"amount": -5}                                   | 400
            /admin/v1/organizations/OPERATOR/credits | {"amount": 1e999999999}                          | 400
            /admin/v1/organizations/OPERATOR/credits | {"amount": "0.0000000000001"}                    | 400
            /admin/v1/organizations/OPERATOR/credits | {"amount": "NaN"}                                | 400
            /admin/v1/organizations/OPERATOR/credits | {"amount": 5, "kind": "credit_line"}             | 400
            /admin/v1/organizations/OPERATOR/credits | {"amount": 5, "kind": "gift"}                    | 400
            /admin/v1/organizations/OPERATOR/clock | {"to": "2030-01-01T00:00:00Z"}                     | 400
            /admin/v1/organizations/OPERATOR/clock | {"to": "tomorrow"}                                 | 400
            /admin/v1/organizations/OPERATOR/keys | {"name": "a", "project": "proj_none"}               | 404
            /admin/v1/organizations/OPERATOR/keys | {"name": "a", "project": "none"}                    | 400
            /admin/v1/organizations/OPERATOR/keys | {"name": "a", "role": "king"}                       | 400
            /admin/v1/plans | {"name": "With Blanks", "currency": "CNY"}                                | 400
            /admin/v1/plans | {"name": "p", "currency": "CNY", "fee": -1}                               | 400
            /admin/v1/plans/none/prices | {"product": "rest"}                                           | 404
            /admin/v1/plans/payg/prices | {"product": "rest", "price": {"per": "dozen", "each": 1}}     | 400
            /admin/v1/plans/payg/prices | {"product": "rest", "price": {"per": "request", "each": "0.0000000000001"}} | 400
            /admin/v1/plans/payg/prices | {"product": "rest", "price": {"per": "request", "each": 1}, "valid_from": "2020-01-01T00:00:00Z"} | 400
            /admin/v1/models/none/promote | {"version": 1}                                              | 404
            /admin/v1/receipts/req_none/verify | {}                                                     | 404
            /admin/v1/receipts/none/verify | {}                                                         | 404
            /admin/v1/invoices/finalize | {"organization": "org_none"}                                  | 404
            /admin/v1/invoices/finalize | {"organisation": "org_none"}                                  | 400
            """)
    void command_wrong_refusedInShape(String path, String body, int status) throws Exception {
        String operator =
                api.commerce.organizations().operator().orElseThrow().id().value();
        HttpResponse<String> answer = api.post(path.replace("OPERATOR", operator), api.ownerKey, body);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body()).startsWith("{\"error\":{\"message\":\"");
    }

    @ParameterizedTest
    @CsvSource({
        "/admin/v1/organizations?limit=0, 400",
        "/admin/v1/organizations?limit=101, 400",
        "/admin/v1/organizations/none, 404",
        "/admin/v1/usage?from=yesterday, 400",
        "/admin/v1/usage?after=abc, 400",
        "/admin/v1/usage?organization=none, 400",
        "/admin/v1/usage/days?days=1000, 400",
        "/admin/v1/invoices/none, 404",
        "/admin/v1/invoices/inv_none, 404",
        "/admin/v1/models/none, 404",
        "/admin/v1/models/none/versions/1/verify, 404",
        "/admin/v1/models/none/versions/x/verify, 404",
    })
    void question_wrong_refusedInShape(String path, int status) throws Exception {
        HttpResponse<String> answer = api.get(path, api.ownerKey);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body()).startsWith("{\"error\":{\"message\":\"");
    }

    @Test
    void description_everyReference_leadsSomewhere() throws Exception {
        String text = api.get("/openapi.json", "").body();
        JsonNode description = JSON.readTree(text);
        assertThat(description.get("openapi").stringValue()).isEqualTo("3.1.0");
        for (JsonNode reference : description.findValues("$ref")) {
            assertThat(description.at(reference.stringValue().substring(1)).isMissingNode())
                    .as(reference.toString())
                    .isFalse();
        }
        assertThat(description
                        .at("/paths/~1v1~1embeddings/post/requestBody/content/application~1json/schema/$ref")
                        .stringValue())
                .isEqualTo("#/components/schemas/EmbeddingsRequest");
    }

    private JsonNode made(String path, String body) throws Exception {
        HttpResponse<String> answer = api.post(path, api.ownerKey, body);
        assertThat(answer.statusCode()).as(path + " " + answer.body()).isEqualTo(200);
        return JSON.readTree(answer.body());
    }

    private JsonNode read(String path, String key) throws Exception {
        HttpResponse<String> answer = api.get(path, key);
        assertThat(answer.statusCode()).as(path + " " + answer.body()).isEqualTo(200);
        return JSON.readTree(answer.body());
    }
}
