package io.guimo.inference;

/** @param score comparable within one answer only: higher fits better */
public record ScoredItem(String item, double score) {}
