/**
 * Text as a model reads it: tokens, and how conversations become them.
 *
 * <p>Read {@link io.guimo.text.Tokenizer} first: a Hugging Face {@code tokenizer.json} run by the library that defines the format.
 * Then {@link io.guimo.text.ChatTemplate}, how a conversation becomes a prompt, and {@link io.guimo.text.ToolFormat}, how a model calls tools; {@link
 * io.guimo.text.BytePairTrainer} learns a vocabulary.
 *
 * <p>Owns no stored state; the tokenizer library unpacks its native part once into {@code cache/} of the home folder. Which texts a data set holds
 * belongs to {@code data}; what a token costs to {@code commerce}.
 *
 * <p>Invariants: the same text always yields the same tokens; a text is never cut unless the caller asks for it; nothing is downloaded.
 */
@NullMarked
package io.guimo.text;

import org.jspecify.annotations.NullMarked;
