package io.guimo.serve.http;

/** The methods that routes use; HEAD is served by every GET. */
public enum Method {
    GET,
    POST,
    DELETE
}
