/**
 * What tests of the whole house need and no module owns.
 *
 * <p>Read {@link io.guimo.testkit.BrowserFinder} first: a Chromium for the browser tests, found or fetched without root. The tests of this
 * module run the house as its users meet it.
 *
 * <p>Owns no stored state but the fetched browser in its cache folder. Tests only: nothing of the distribution uses it. Invariant: what a
 * test needs is found or fetched, and its absence fails the test; nothing is skipped.
 */
@NullMarked
package io.guimo.testkit;

import org.jspecify.annotations.NullMarked;
