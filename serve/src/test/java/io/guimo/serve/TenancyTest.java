package io.guimo.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.registry.ModelOwner;
import io.guimo.units.Meter;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A key sees nothing that belongs to another organisation, on any route that the description lists. */
class TenancyTest {
    private static final JsonMapper JSON = JsonMapper.shared();

    /** What to send to each route that takes a body and a customer's key. A route that is missing here fails the test. */
    private static final Map<String, String> BODIES = Map.of(
            "predict", "{\"images\": [\"aGVsbG8=\"]}",
            "createRecommendations", "{\"model\": \"private\", \"items\": [\"bread\"]}",
            "createEmbeddings", "{\"model\": \"private\", \"input\": \"a\"}",
            "createChatCompletion",
                    "{\"model\": \"private\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}",
            "createMessage",
                    "{\"model\": \"private\", \"max_tokens\": 5, \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}",
            "createCompletion", "{\"model\": \"private\", \"prompt\": \"a\"}",
            "createResponse", "{\"model\": \"private\", \"input\": \"a\"}",
            "rerank", "{\"model\": \"private\", \"query\": \"a\", \"documents\": [\"a\"]}");

    @Test
    void everyRoute_withAnothersKey_showsNothingOfTheFirst() throws Exception {
        try (TestPlatform api = TestPlatform.start("tenancy_test")) {
            TestPlatform.Customer first = api.customer("5");
            TestPlatform.Customer second = api.customer("5");
            api.sell("private", Map.of(Meter.REQUESTS, TestPlatform.flat("0.01")));
            api.platform
                    .models()
                    .mount(new ModelOwner.Organization(first.organization()), new PlainModels.Rest("private"));
            String body = "{\"model\": \"private\", \"items\": [\"bread\"]}";
            HttpResponse<String> used =
                    api.post("/v1/recommendations", first.key(), body, "idempotency-key", "secret-key");
            assertThat(used.statusCode()).as(used.body()).isEqualTo(200);
            String request = used.headers().firstValue("x-request-id").orElseThrow();
            String invoice = invoice(api, first);
            JsonNode keys =
                    JSON.readTree(api.get("/admin/v1/organizations/" + first.organization() + "/keys", api.ownerKey)
                            .body());
            List<String> firsts = List.of(
                    first.organization().value(),
                    request,
                    invoice,
                    keys.at("/data/0/id").stringValue(),
                    keys.at("/data/0/project").stringValue());
            Map<String, String> variables =
                    Map.of("id", "private", "model", "private", "request", request, "invoice", invoice);

            JsonNode description = JSON.readTree(api.get("/openapi.json", "").body());
            List<String> tried = new ArrayList<>();
            for (Map.Entry<String, JsonNode> path : description.get("paths").properties()) {
                for (Map.Entry<String, JsonNode> method : path.getValue().properties()) {
                    JsonNode security = method.getValue().get("security");
                    if (security.isEmpty()) continue;
                    HttpResponse<String> answer = call(api, method, path.getKey(), variables, second);
                    String what =
                            method.getKey() + " " + path.getKey() + ": " + answer.statusCode() + " " + answer.body();
                    if (security.get(0).has("owner")) {
                        assertThat(answer.statusCode()).as(what).isEqualTo(403);
                    } else {
                        assertThat(answer.statusCode()).as(what).isIn(200, 404);
                        if (path.getKey().contains("{"))
                            assertThat(answer.statusCode()).as(what).isEqualTo(404);
                    }
                    // an error may repeat what was asked for, never what was not
                    String said = answer.statusCode() == 200 ? answer.body() : "";
                    assertThat(firsts).as(what).noneMatch(said::contains);
                    tried.add(path.getKey());
                }
            }
            assertThat(tried)
                    .contains(
                            "/v1/receipts/{request}",
                            "/v1/invoices/{invoice}/pdf",
                            "/v1/models/{id}",
                            "/admin/v1/organizations");

            HttpResponse<String> own = api.get("/v1/receipts/" + request, first.key());
            assertThat(own.statusCode()).as(own.body()).isEqualTo(200);
            assertThat(api.get("/v1/invoices/" + invoice, first.key()).statusCode())
                    .isEqualTo(200);
            HttpResponse<String> replay =
                    api.post("/v1/recommendations", second.key(), body, "idempotency-key", "secret-key");
            assertThat(replay.statusCode()).isEqualTo(404);
            assertThat(api.available(second).toDecimalString()).isEqualTo("5");
        }
    }

    /** Turns the organisation's clock over the end of its month. @return the id of the invoice that became final by it */
    private static String invoice(TestPlatform api, TestPlatform.Customer customer) throws Exception {
        Instant later = Instant.now().plus(40, ChronoUnit.DAYS);
        HttpResponse<String> turned = api.post(
                "/admin/v1/organizations/" + customer.organization() + "/clock",
                api.ownerKey,
                "{\"to\": \"" + later + "\"}");
        assertThat(turned.statusCode()).as(turned.body()).isEqualTo(200);
        JsonNode invoices =
                JSON.readTree(api.get("/v1/invoices", customer.key()).body());
        assertThat(invoices.at("/data/0/status").stringValue()).isEqualTo("final");
        return invoices.at("/data/0/id").stringValue();
    }

    private static HttpResponse<String> call(
            TestPlatform api,
            Map.Entry<String, JsonNode> method,
            String template,
            Map<String, String> variables,
            TestPlatform.Customer caller)
            throws Exception {
        String path = template;
        boolean owners = template.startsWith("/admin/");
        for (JsonNode parameter : method.getValue().path("parameters")) {
            if (!parameter.get("in").stringValue().equals("path")) continue;
            String name = parameter.get("name").stringValue();
            String value = owners ? "any" : variables.get(name);
            assertThat(value).as("a value for {" + name + "} of " + template).isNotNull();
            path = path.replace("{" + name + "}", String.valueOf(value));
        }
        String operation = method.getValue().get("operationId").stringValue();
        HttpRequest.BodyPublisher body = HttpRequest.BodyPublishers.noBody();
        if (method.getValue().has("requestBody")) {
            String json = owners ? "{}" : BODIES.get(operation);
            assertThat(json).as("a body for " + operation).isNotNull();
            body = HttpRequest.BodyPublishers.ofString(String.valueOf(json));
        }
        return api.client.send(
                api.request(path, caller.key())
                        .method(method.getKey().toUpperCase(java.util.Locale.ROOT), body)
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
