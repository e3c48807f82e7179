/**
 * The command line, the business file, and the wiring of the house.
 *
 * <p>Read {@link io.guimo.launch.UpCommand} first: the stages from a business file to an invoice. {@link io.guimo.launch.BusinessFile} reads the file and
 * reports every mistake at once; {@link io.guimo.launch.ModelWorks} brings a model from its data to a signed, promoted version;
 * {@link io.guimo.launch.Service} opens what serves and sells; {@link io.guimo.launch.Demonstration} plays a customer;
 * {@link io.guimo.launch.Reporter} shows what came of it. {@link io.guimo.launch.PulledModels} is the home's own part of the catalogue, {@link
 * io.guimo.launch.Secrets} keeps the keys of upstreams.
 *
 * <p>Owns the layout of the home folder ({@link io.guimo.launch.Home}). Rules of models, money and HTTP belong to their own modules. Invariants: every
 * stage finds what an earlier run did, so any command can be ended and repeated; only this package wires.
 */
@NullMarked
package io.guimo.launch;

import org.jspecify.annotations.NullMarked;
