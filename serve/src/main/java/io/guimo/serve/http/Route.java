package io.guimo.serve.http;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One method of one path: who may call it, what goes in and out, and what serves it. Served and described from this one record.
 *
 * @param path segments beginning with a slash, variables in braces, such as {@code /v1/models/{id}}; a path below {@code /v1} is also served
 *     without it
 * @param bodyLimit largest request body in bytes; 0: the route reads none
 * @param about what the description says
 * @param errors how refusals are written; of a header {@code x-api-key} instead of {@code authorization} any route reads the key
 */
public record Route(
        Method method, String path, Access access, long bodyLimit, About about, ErrorShape errors, Handler handler) {
    public Route {
        if (!path.startsWith("/") || (path.length() > 1 && path.endsWith("/"))) {
            throw new IllegalArgumentException("a route's path begins with a slash and ends without one: " + path);
        }
    }

    public static Route get(String path, Access access, About about, Handler handler) {
        return new Route(Method.GET, path, access, 0, about, ErrorShape.OPENAI, handler);
    }

    public static Route post(String path, Access access, long bodyLimit, About about, Handler handler) {
        return new Route(Method.POST, path, access, bodyLimit, about, ErrorShape.OPENAI, handler);
    }

    public static Route delete(String path, Access access, About about, Handler handler) {
        return new Route(Method.DELETE, path, access, 0, about, ErrorShape.OPENAI, handler);
    }

    /** The same route for clients of other errors. */
    public Route errors(ErrorShape shape) {
        return new Route(method, path, access, bodyLimit, about, shape, handler);
    }

    /** Names of the variables in the path, in order. */
    public List<String> variables() {
        return Arrays.stream(path.split("/"))
                .filter(s -> s.startsWith("{"))
                .map(s -> s.substring(1, s.length() - 1))
                .toList();
    }

    /**
     * What the description says of a route.
     *
     * @param operation name for generated clients, such as {@code createEmbeddings}; unique
     * @param group heading under which it is listed
     * @param summary one sentence
     * @param request shape of the JSON body, or null when there is none
     * @param answer shape of the JSON answer, or null when it is not JSON
     * @param list whether the answer is a {@link Listing} of such
     * @param answerMediaType content type of the answer
     * @param requestMediaTypes content types read
     * @param query parameters in the query
     */
    public record About(
            String operation,
            String group,
            String summary,
            @Nullable Class<?> request,
            @Nullable Class<?> answer,
            boolean list,
            String answerMediaType,
            List<String> requestMediaTypes,
            List<Parameter> query) {
        public About {
            requestMediaTypes = List.copyOf(requestMediaTypes);
            query = List.copyOf(query);
        }

        public static About of(String operation, String group, String summary) {
            return new About(operation, group, summary, null, null, false, Content.JSON, List.of(), List.of());
        }

        public About request(Class<?> shape) {
            return new About(
                    operation, group, summary, shape, answer, list, answerMediaType, List.of(Content.JSON), query);
        }

        public About answer(Class<?> shape) {
            return new About(operation, group, summary, request, shape, false, Content.JSON, requestMediaTypes, query);
        }

        /** A part of a list of such, asked for by {@code after} and {@code limit}. */
        public About list(Class<?> shape) {
            List<Parameter> parameters = new ArrayList<>(query);
            parameters.addAll(Listing.PARAMETERS);
            return new About(
                    operation, group, summary, request, shape, true, Content.JSON, requestMediaTypes, parameters);
        }

        public About answerMediaType(String mediaType) {
            return new About(operation, group, summary, request, null, false, mediaType, requestMediaTypes, query);
        }

        public About alsoReads(String mediaType) {
            List<String> types = new ArrayList<>(requestMediaTypes);
            types.add(mediaType);
            return new About(operation, group, summary, request, answer, list, answerMediaType, types, query);
        }

        /** Further parameters of the query. */
        public About query(Parameter... parameters) {
            List<Parameter> all = new ArrayList<>(query);
            all.addAll(List.of(parameters));
            return new About(operation, group, summary, request, answer, list, answerMediaType, requestMediaTypes, all);
        }
    }

    /**
     * A parameter in the query.
     *
     * @param type {@code string} or {@code integer}
     */
    public record Parameter(String name, String type, String description) {}
}
