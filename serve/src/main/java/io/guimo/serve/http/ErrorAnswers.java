package io.guimo.serve.http;

import io.guimo.units.RequestId;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Refusals as HTTP, in OpenAI's shape {@code {"error": {message, type, param, code}}} or Anthropic's: the one switch of the house. */
public final class ErrorAnswers {
    private ErrorAnswers() {}

    /** In a route's own shape. */
    public static Content of(Refusal refusal, ErrorShape shape, RequestId request) {
        Content answer = of(refusal);
        return switch (shape) {
            case OPENAI -> answer;
            case ANTHROPIC ->
                new Content(
                        answer.status(),
                        answer.mediaType(),
                        Json.write(new AnthropicError(
                                "error",
                                new AnthropicErrorDetail(anthropicType(refusal, answer.status()), refusal.message()),
                                request.value())),
                        answer.headers());
        };
    }

    private static String anthropicType(Refusal refusal, int status) {
        if (refusal instanceof Refusal.QuotaExhausted) return "billing_error";
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 503 -> "overloaded_error";
            default -> status < 500 ? "invalid_request_error" : "api_error";
        };
    }

    public static Content of(Refusal refusal) {
        return switch (refusal) {
            case Refusal.InvalidRequest r ->
                error(400, "invalid_request_error", r.message(), r.param(), r.code())
                        .build();
            case Refusal.Unauthenticated r ->
                error(401, "invalid_request_error", r.message(), null, r.code())
                        .header("www-authenticate", "Bearer")
                        .build();
            case Refusal.Forbidden r ->
                error(403, "permission_error", r.message(), null, "permission_denied")
                        .build();
            case Refusal.NotFound r ->
                error(404, "invalid_request_error", r.message(), r.param(), r.code())
                        .build();
            case Refusal.WrongMethod r ->
                error(405, "invalid_request_error", r.message(), null, "method_not_allowed")
                        .header("allow", String.join(", ", r.allowed()))
                        .build();
            case Refusal.TooSlow r ->
                error(408, "invalid_request_error", r.message(), null, "request_timeout")
                        .build();
            case Refusal.Conflict r -> {
                Builder answer = error(409, "idempotency_error", r.message(), null, r.code());
                Duration retryAfter = r.retryAfter();
                yield (retryAfter == null ? answer.retry(false) : answer.retryAfter(retryAfter)).build();
            }
            case Refusal.TooLarge r ->
                error(413, "invalid_request_error", r.message(), null, "request_too_large")
                        .build();
            case Refusal.WrongMediaType r ->
                error(415, "invalid_request_error", r.message(), null, "unsupported_media_type")
                        .build();
            case Refusal.Unprocessable r ->
                error(422, "idempotency_error", r.message(), null, r.code())
                        .retry(false)
                        .build();
            case Refusal.RateLimited r ->
                error(429, r.unit(), r.message(), null, "rate_limit_exceeded")
                        .retryAfter(r.retryAfter())
                        .build();
            case Refusal.QuotaExhausted r ->
                error(429, "insufficient_quota", r.message(), null, "insufficient_quota")
                        .retry(false)
                        .build();
            case Refusal.Overloaded r ->
                error(503, "server_error", r.message(), null, "overloaded")
                        .retryAfter(r.retryAfter())
                        .build();
            case Refusal.Draining r ->
                error(503, "server_error", r.message(), null, "shutting_down")
                        .retryAfter(Duration.ofSeconds(1))
                        .build();
            case Refusal.UpstreamFailed r ->
                error(502, "server_error", r.message(), null, "upstream_failed")
                        .retry(true)
                        .build();
            case Refusal.Broken r ->
                error(500, "server_error", r.message(), null, "internal_error").build();
        };
    }

    /** Body of every error on Anthropic's routes. */
    record AnthropicError(String type, AnthropicErrorDetail error, String requestId) {}

    record AnthropicErrorDetail(String type, String message) {}

    /** Body of every other error. */
    public record ErrorBody(ErrorDetail error) {}

    /**
     * All four are always present.
     *
     * @param param the field at fault, or null
     * @param code stable code
     */
    public record ErrorDetail(
            String message,
            String type,
            @Nullable String param,
            @Nullable String code) {}

    private static Builder error(
            int status, String type, String message, @Nullable String param, @Nullable String code) {
        return new Builder(status, new ErrorBody(new ErrorDetail(message, type, param, code)));
    }

    private static final class Builder {
        private final int status;
        private final ErrorBody body;
        private final Map<String, String> headers = new LinkedHashMap<>();

        Builder(int status, ErrorBody body) {
            this.status = status;
            this.body = body;
        }

        Builder header(String name, String value) {
            headers.put(name, value);
            return this;
        }

        Builder retry(boolean should) {
            return header("x-should-retry", Boolean.toString(should));
        }

        /** Whole seconds, rounded up, as RFC 9110 section 10.2.3 has it; OpenAI's clients read the milliseconds first. */
        Builder retryAfter(Duration wait) {
            long millis = Math.max(1, wait.toMillis());
            return retry(true)
                    .header("retry-after", Long.toString((millis + 999) / 1000))
                    .header("retry-after-ms", Long.toString(millis));
        }

        Content build() {
            return new Content(status, Content.JSON, Json.write(body), headers);
        }
    }
}
