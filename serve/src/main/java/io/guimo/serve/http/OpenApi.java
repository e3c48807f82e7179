package io.guimo.serve.http;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The description of a route table in OpenAPI 3.1, made from the very routes that serve. Pages are not in it. */
public final class OpenApi {
    private OpenApi() {}

    /** @return the document as JSON */
    public static byte[] describe(List<Route> routes, String title, String version) {
        Schemas schemas = new Schemas();
        Map<String, Map<String, Object>> paths = new LinkedHashMap<>();
        for (Route route : routes) {
            if (route.about().operation().startsWith("page:")) continue;
            paths.computeIfAbsent(route.path(), p -> new LinkedHashMap<>())
                    .put(route.method().name().toLowerCase(java.util.Locale.ROOT), operation(route, schemas));
        }
        Map<String, Object> error = schemas.reference(ErrorAnswers.ErrorBody.class);
        Map<String, Object> components = new LinkedHashMap<>();
        components.put("schemas", schemas.components());
        components.put(
                "responses",
                Map.of("Error", Map.of("description", "Refused; nothing was billed", "content", json(error))));
        components.put(
                "securitySchemes",
                Map.of(
                        "key", Map.of("type", "http", "scheme", "bearer", "description", "Any key of a project"),
                        "owner", Map.of("type", "http", "scheme", "bearer", "description", "The owner's key")));
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("openapi", "3.1.0");
        document.put("info", Map.of("title", title, "version", version));
        document.put("paths", paths);
        document.put("components", components);
        return Json.write(document);
    }

    private static Map<String, Object> operation(Route route, Schemas schemas) {
        Route.About about = route.about();
        Map<String, Object> operation = new LinkedHashMap<>();
        operation.put("operationId", about.operation());
        operation.put("tags", List.of(about.group()));
        operation.put("summary", about.summary());
        switch (route.access()) {
            case PUBLIC -> operation.put("security", List.of());
            case KEY -> operation.put("security", List.of(Map.of("key", List.of())));
            case OWNER -> operation.put("security", List.of(Map.of("owner", List.of())));
        }
        List<Map<String, Object>> parameters = parameters(route);
        if (!parameters.isEmpty()) operation.put("parameters", parameters);
        if (!about.requestMediaTypes().isEmpty()) {
            Map<String, Object> content = new LinkedHashMap<>();
            for (String mediaType : about.requestMediaTypes()) {
                Class<?> shape = about.request();
                content.put(
                        mediaType,
                        mediaType.equals(Content.JSON) && shape != null
                                ? Map.of("schema", schemas.reference(shape))
                                : Map.of());
            }
            operation.put("requestBody", Map.of("required", true, "content", content));
        }
        Class<?> shape = about.answer();
        Map<String, Object> answer = shape == null
                ? Map.of(about.answerMediaType(), Map.of())
                : json(about.list() ? Listing.schema(schemas.reference(shape)) : schemas.reference(shape));
        operation.put(
                "responses",
                Map.of(
                        "200", Map.of("description", "Done", "content", answer),
                        "default", Map.of("$ref", "#/components/responses/Error")));
        return operation;
    }

    private static List<Map<String, Object>> parameters(Route route) {
        List<Map<String, Object>> parameters = new ArrayList<>();
        for (String name : route.variables()) {
            parameters.add(Map.of("name", name, "in", "path", "required", true, "schema", Map.of("type", "string")));
        }
        for (Route.Parameter p : route.about().query()) {
            parameters.add(Map.of(
                    "name",
                    p.name(),
                    "in",
                    "query",
                    "description",
                    p.description(),
                    "schema",
                    Map.of("type", p.type())));
        }
        if (route.method() == Method.POST && route.access() != Access.PUBLIC) {
            parameters.add(Map.of(
                    "name",
                    "Idempotency-Key",
                    "in",
                    "header",
                    "description",
                    "The same key and content is answered by the first answer; another content is refused",
                    "schema",
                    Map.of("type", "string", "maxLength", 255)));
        }
        return parameters;
    }

    private static Map<String, Object> json(Map<String, Object> schema) {
        return Map.of(Content.JSON, Map.of("schema", schema));
    }
}
