package io.guimo.serve.http;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Finds the route of a path by walking its segments; a literal segment goes before a variable one. */
public final class RouteTable {
    private final List<Route> routes;
    private final Node root = new Node();

    /** @throws IllegalArgumentException if two routes have the same method and path, or the same operation */
    public RouteTable(List<Route> routes) {
        this.routes = List.copyOf(routes);
        Map<String, Route> operations = new HashMap<>();
        for (Route route : routes) {
            add(route.path(), route);
            if (route.path().startsWith("/v1/")) add(route.path().substring("/v1".length()), route);
            Route other = operations.put(route.about().operation(), route);
            if (other != null) {
                throw new IllegalArgumentException("two routes are named "
                        + route.about().operation() + ": " + other.path() + ", " + route.path());
            }
        }
    }

    public List<Route> routes() {
        return routes;
    }

    /** What a path leads to. */
    sealed interface Found {
        /** A route and the values of its variables by name. */
        record Matched(Route route, Map<String, String> variables) implements Found {}

        /** The path has routes of other methods only. */
        record OtherMethods(Refusal.WrongMethod refusal) implements Found {}

        /** No such path. */
        record Nowhere() implements Found {}
    }

    /** @param rawPath path as on the request line, without the query */
    Found find(String method, String rawPath) {
        List<String> values = new ArrayList<>(2);
        Node node = root;
        int from = 1;
        while (from < rawPath.length()) {
            int slash = rawPath.indexOf('/', from);
            int end = slash < 0 ? rawPath.length() : slash;
            String segment = rawPath.substring(from, end);
            Node next = node.literals.get(segment);
            if (next == null && node.variable != null && !segment.isEmpty()) {
                next = node.variable;
                values.add(decoded(segment));
            }
            if (next == null) return new Found.Nowhere();
            node = next;
            from = end + 1;
        }
        if (node.routes.isEmpty()) return new Found.Nowhere();
        Route route = route(node, method);
        if (route == null) {
            TreeSet<String> allowed = new TreeSet<>();
            node.routes.keySet().forEach(m -> allowed.add(m.name()));
            if (allowed.contains("GET")) allowed.add("HEAD");
            return new Found.OtherMethods(new Refusal.WrongMethod(method, rawPath, allowed));
        }
        if (values.isEmpty()) return new Found.Matched(route, Map.of());
        Map<String, String> variables = new HashMap<>();
        List<String> names = route.variables();
        for (int i = 0; i < names.size(); i++) variables.put(names.get(i), values.get(i));
        return new Found.Matched(route, variables);
    }

    private static @Nullable Route route(Node node, String method) {
        return switch (method) {
            case "GET", "HEAD" -> node.routes.get(Method.GET);
            case "POST" -> node.routes.get(Method.POST);
            case "DELETE" -> node.routes.get(Method.DELETE);
            default -> null;
        };
    }

    private static String decoded(String segment) {
        if (segment.indexOf('%') < 0) return segment;
        try {
            // URLDecoder is made for forms, where a plus is a space; in a path it is a plus
            return URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw RefusedException.invalid(
                    "The path segment '" + segment + "' is not percent-encoded UTF-8", null, "invalid_path");
        }
    }

    private void add(String path, Route route) {
        Node node = root;
        for (String segment : path.substring(1).split("/")) {
            if (segment.isEmpty()) continue;
            if (segment.startsWith("{")) {
                if (node.variable == null) node.variable = new Node();
                node = node.variable;
            } else {
                node = node.literals.computeIfAbsent(segment, s -> new Node());
            }
        }
        Route other = node.routes.putIfAbsent(route.method(), route);
        if (other != null) {
            throw new IllegalArgumentException("two routes serve " + route.method() + " " + path);
        }
    }

    private static final class Node {
        final Map<String, Node> literals = new HashMap<>();
        final Map<Method, Route> routes = new EnumMap<>(Method.class);

        @Nullable
        Node variable;
    }
}
