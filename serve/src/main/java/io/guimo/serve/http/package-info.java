/**
 * The HTTP shell: everything about requests and answers that no model, price or organisation is needed to know.
 *
 * <p>Read {@link io.guimo.serve.http.Dispatcher} first: the way of one request from its route to its answer. A {@link io.guimo.serve.http.Route}
 * says its path, who may call it, its shapes and its handler; the one {@link io.guimo.serve.http.RouteTable} serves and describes itself
 * ({@link io.guimo.serve.http.OpenApi}), so that the description cannot drift. A handler returns an {@link io.guimo.serve.http.Answer}; a
 * {@link io.guimo.serve.http.Refusal} is one, and {@link io.guimo.serve.http.ErrorAnswers} is the only place where refusals become HTTP.
 *
 * <p>Owns no stored state; in memory the open connections ({@link io.guimo.serve.http.ConnectionGuard}) and the memory lent to request bodies
 * ({@link io.guimo.serve.http.BodyMemory}). Invariants: every answer, errors included, carries {@code x-request-id}; no client can hold more memory
 * than its body's share, or a thread longer than its time limits. Helidon is imported here and nowhere else.
 */
@NullMarked
package io.guimo.serve.http;

import org.jspecify.annotations.NullMarked;
