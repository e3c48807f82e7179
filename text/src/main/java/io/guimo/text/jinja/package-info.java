/**
 * The part of Jinja that chat templates are written in, as Hugging Face's {@code apply_chat_template} runs it: trimmed blocks, no autoescape, an
 * immutable sandbox, loop controls.
 *
 * <p>Read {@link io.guimo.text.jinja.JinjaTemplate} first: source in, a parsed template out, rendered as often as wanted. {@code Lexer} and {@code
 * Parser} make the tree ({@code Node}, {@code Expression}), {@code Rendering} walks it once, {@code Python} holds what its values mean: truth, equality,
 * how they print. {@code Filters}, {@code Tests} and {@code Methods} are the names that a template may call.
 *
 * <p>Owns no state. What a conversation looks like to a template belongs to {@link io.guimo.text.ChatTemplate}.
 *
 * <p>Invariants: a value is data and is never read as a template; whatever is not understood is refused with its line, when the template is read or at
 * the latest when it is reached, and never skipped; steps, characters and depth of a rendering are bounded; nothing outside the given values can be
 * reached, since no Java object but numbers, texts, lists and maps ever enters.
 */
@NullMarked
package io.guimo.text.jinja;

import org.jspecify.annotations.NullMarked;
