package io.guimo.serve.http;

/** Whose clients a route speaks to: how its refusals are written. */
public enum ErrorShape {
    /** {@code {"error": {message, type, param, code}}}. */
    OPENAI,
    /** {@code {"type": "error", "error": {type, message}, "request_id"}}. */
    ANTHROPIC
}
