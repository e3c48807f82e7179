package io.guimo.data;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Baskets as they lie in their source, before they are split.
 *
 * @param name of the source, for reports
 * @param fingerprints by file name, of what was read
 */
public record BasketSource(String name, BasketSet baskets, Map<String, Fingerprint> fingerprints) {
    public BasketSource {
        fingerprints = Collections.unmodifiableMap(new LinkedHashMap<>(fingerprints));
    }
}
