package io.guimo.inference;

/** What a host does with a package that nobody signed. */
public enum UnsignedPackages {
    /** Refuses it. */
    REFUSE,
    /** Loads it if its digests are right: for experiments on one's own machine, chosen explicitly at the start. */
    LOAD
}
