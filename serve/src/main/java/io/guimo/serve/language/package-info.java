/**
 * Language models that run here, on the wire: OpenAI's chat completions, completions and responses, Anthropic's messages.
 *
 * <p>Read {@link io.guimo.serve.language.Conversations} first. Each wire format is one class that reads its request into a {@link
 * io.guimo.serve.language.Job} and writes what comes back as a {@link io.guimo.serve.language.WireFormat}; what lies between is the same for all:
 * {@link io.guimo.serve.language.Generation} reads the engine's tokens, {@link io.guimo.serve.language.ChoiceText} makes text and calls of tools of them, {@link
 * io.guimo.serve.language.PaidStream} holds money ahead of them and charges for what reached the client.
 *
 * <p>Owns no stored state but {@code StoredResponses}. What a prompt looks like is {@code text}'s, which token comes next is {@code inference}'s, what
 * it costs is {@code commerce}'s. Invariants: read ≤ billed ≤ computed for every answer, however it ends; no character and no stop string is cut; a
 * client that is gone costs at most one further step.
 */
@NullMarked
package io.guimo.serve.language;

import org.jspecify.annotations.NullMarked;
