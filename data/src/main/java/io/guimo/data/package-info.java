/**
 * Data on its way from where it lies to rows that a model can learn from.
 *
 * <p>Read {@link io.guimo.data.Catalogue} first: named data sets with licence, size and fingerprint, found or fetched from the nearest of several
 * places. {@link io.guimo.data.ImageSet}, {@link io.guimo.data.BasketSet}, {@link io.guimo.data.RowSet}, {@link io.guimo.data.TextSet} and {@link
 * io.guimo.data.Corpus} are what its files are read into; {@link io.guimo.data.ImageDecoder} reads one picture that a stranger sent. {@link io.guimo.data.Split} parts rows by a
 * seeded hash, and {@link io.guimo.data.ContaminationReport} proves that no row of a test part reached training, for
 * running text by {@link io.guimo.data.SharedPassages}.
 *
 * <p>State owned: {@code cache/data/} of the home folder. What a step learns from data (labels, means, vocabularies) is fitted by the {@code task}
 * module and travels in the model package.
 *
 * <p>Invariants: no file is read whose fingerprint differs from the catalogue's; every reader of foreign bytes is bounded in memory before it
 * allocates; a step is a pure function of a record and the fitted state.
 */
@NullMarked
package io.guimo.data;

import org.jspecify.annotations.NullMarked;
