/**
 * How text is continued token by token, whatever evaluates the network: what is asked ({@link io.guimo.inference.generate.GenerationRequest}), what
 * comes back ({@link io.guimo.inference.generate.TokenStream}), which token is next ({@link io.guimo.inference.generate.Sampling}, {@link
 * io.guimo.inference.generate.Constraint}), how tokens become text ({@link
 * io.guimo.inference.generate.TextAssembler}), and what an engine has to bring to be scheduled ({@link io.guimo.inference.generate.DecoderBackend}).
 *
 * <p>{@link io.guimo.inference.generate.Scheduler} serves many sequences at once on one {@code DecoderBackend}: its {@code step} is the path from what
 * waits to what is delivered. {@code StateCache} knows what the backend holds and of whom, {@code Sequence} is a request on its way, {@link
 * io.guimo.inference.generate.QueuedTokens} what its reader sees.
 *
 * <p>Owns no stored state and no native library. Token ids are those of the model's tokenizer; text, messages and HTTP are known elsewhere.
 *
 * <p>Invariants: what is generated for a sequence does not depend on what shares its batch, but for the order in
 * which a backend adds up (docs/decisions/0111); a prefix is shared within one organisation only; a stream
 * that is closed costs no further step; every queue is bounded; what was let in comes to its end, however small the cache.
 */
@NullMarked
package io.guimo.inference.generate;

import org.jspecify.annotations.NullMarked;
