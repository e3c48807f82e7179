/**
 * The API: OpenAI's wire format for models, the owner's API for the business behind them.
 *
 * <p>Read {@link io.guimo.serve.Server} first: it gathers the routes and starts them.
 *
 * <p>Owns no stored state but the answers that {@link io.guimo.serve.language} keeps. What a request costs is {@code commerce}'s, what a model
 * answers is {@code inference}'s; the HTTP shell, which knows neither, is {@link io.guimo.serve.http}. Invariants: a model's answer leaves this process
 * only after its usage is durable, a stream's with money held ahead of it; a refused or failed request is not billed; a key sees its own organisation
 * and nothing else.
 */
@NullMarked
package io.guimo.serve;

import org.jspecify.annotations.NullMarked;
