/**
 * The one database of the house: PostgreSQL, either a server that this process starts in its home folder or one that already runs elsewhere.
 *
 * <p>Read {@link io.guimo.postgres.Database} first: pool, transactions, migrations, dedicated connections. {@link
 * io.guimo.postgres.EmbeddedPostgres} unpacks, creates, starts and stops the server of a home folder.
 *
 * <p>Owns {@code <home>/postgres}: {@code server-*} (unpacked programs), {@code data} (the cluster), {@code secret} (its password, mode
 * 0600), {@code lock} (which process owns the folder) and {@code log}. Tables belong to the modules that migrate them; SQL stands in those
 * modules too.
 *
 * <p>Invariants: one process owns a home folder; the server never outlives the process that started it; a commit that was acknowledged with
 * {@code synchronous_commit = on} survives {@code kill -9} of both.
 */
@NullMarked
package io.guimo.postgres;

import org.jspecify.annotations.NullMarked;
