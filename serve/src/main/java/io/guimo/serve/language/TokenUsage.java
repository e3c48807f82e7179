package io.guimo.serve.language;

import io.guimo.units.Meter;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;

/**
 * Tokens of a request.
 *
 * @param prompt tokens of all prompts, each once however many choices it has
 * @param cached of these, those whose state was kept
 * @param output tokens of all answers
 */
record TokenUsage(long prompt, long cached, long output) {
    long total() {
        return prompt + output;
    }

    /** As it is charged, on those meters that the model has. */
    Map<Meter, Long> units(Set<Meter> meters) {
        boolean cachedApart = meters.contains(Meter.CACHED_INPUT_TOKENS);
        Map<Meter, Long> units = new EnumMap<>(Meter.class);
        units.put(Meter.INPUT_TOKENS, cachedApart ? prompt - cached : prompt);
        units.put(Meter.CACHED_INPUT_TOKENS, cached);
        units.put(Meter.OUTPUT_TOKENS, output);
        units.keySet().retainAll(meters);
        return units;
    }
}
