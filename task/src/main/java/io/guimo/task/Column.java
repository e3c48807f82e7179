package io.guimo.task;

/**
 * What a row of a task's data holds.
 *
 * @param name as in CSV headers and JSON
 * @param kind what its values are, in words with their bounds
 */
public record Column(String name, String kind) {}
