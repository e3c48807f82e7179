/**
 * The shop: search of a catalogue by meaning.
 *
 * <p>Read {@link io.guimo.shop.ShopSearch} first: the route {@code POST /v1/search}. A {@link io.guimo.shop.SearchIndex} holds the vectors of a
 * {@link io.guimo.shop.SearchCollection}'s texts.
 *
 * <p>Owns {@code cache/search/} of the home folder: vectors that can be made again at any time. Elsewhere: the encoders ({@code inference}), what a
 * search costs ({@code commerce}).
 */
@NullMarked
package io.guimo.shop;

import org.jspecify.annotations.NullMarked;
