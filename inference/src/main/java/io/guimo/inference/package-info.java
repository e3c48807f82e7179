/**
 * Engines that run a packaged model, and the host that holds them.
 *
 * <p>Read {@link io.guimo.inference.HostedModel} first: the closed set of what can be hosted, then {@link io.guimo.inference.ModelHost}: who sees
 * which model. {@link io.guimo.inference.PackagedModels} keeps the host what the registry says should serve;
 * {@link io.guimo.inference.EngineLoader} starts the engine that a package needs. An engine lets calls in through its {@code Admission}, gathers them
 * in a {@code BatchQueue} and works on {@code EngineThreads}, whose CPU time is what a unit costs.
 *
 * <p>A language model is a {@link io.guimo.inference.TextGenerator}: {@link io.guimo.inference.generate} steps it, {@link io.guimo.inference.constrain}
 * holds its answers to a schema, {@link io.guimo.inference.llama} evaluates GGUF files in a process of their own and {@link io.guimo.inference.torch} what
 * was trained here.
 *
 * <p>A model on other servers is an {@link io.guimo.inference.OpenAiRemoteChat}: it walks over a request once ({@code ChatBody}), lets an {@code UpstreamPool}
 * choose an {@code Upstream} and try again where nothing was said, and looks at each answer once ({@code ChatScan}). An upstream has its
 * {@code KeptConnections} and its {@code CircuitBreaker}. {@link io.guimo.inference.FailoverChat} puts another model in its place.
 *
 * <p>Owns no stored state: packages and promotion belong to {@code registry}, money to {@code commerce}, HTTP to {@code serve}.
 *
 * <p>Invariants: nothing is loaded that was not verified, unless the host was opened so explicitly; every queue is bounded, and a full one refuses
 * with the time after which to try again; a request is sent to a second upstream only while no byte of an answer to it was seen;
 * an answer does not depend on what else shares its batch, a language model's up to rounding; closing an engine answers what it accepted.
 */
@NullMarked
package io.guimo.inference;

import org.jspecify.annotations.NullMarked;
