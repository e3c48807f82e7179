package io.guimo.serve.http;

/** What a handler returns: a whole body, a stream, or a refusal. */
public sealed interface Answer permits Content, EventStream, Refusal {}
