/**
 * The web console at {@code /}: what is asked of the models, what they earn and cost, and a playground to try them.
 *
 * <p>Read {@link io.guimo.console.ConsolePages} first: it turns the files beside it (folder {@code web}) and two libraries into routes. The page
 * begins in {@code web/app.js}; each part of the navigation is one file named after it, every word stands in {@code web/words.js}, every address
 * called in {@code web/api.js}, every format of a number in {@code web/format.js}. Plain ES modules: what is written is what the browser runs.
 *
 * <p>Owns no stored state: the owner's key lives in the browser's tab ({@code sessionStorage}), the chosen language in the browser
 * ({@code localStorage}). What the pages show belongs to the owner's API of {@code serve}; nothing is computed here that it can say.
 *
 * <p>Invariants: no script or style but our own files runs (Content-Security-Policy without exceptions); an exact amount is written from its
 * decimal string and never passes through a floating-point number; every visible word is in the dictionary, in both languages.
 */
@NullMarked
package io.guimo.console;

import org.jspecify.annotations.NullMarked;
