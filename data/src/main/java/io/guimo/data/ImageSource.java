package io.guimo.data;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Labelled pictures as they lie in their source, before they are split.
 *
 * @param name of the source, for reports
 * @param development pictures to learn from and to choose on
 * @param test pictures to judge by, where the source keeps them apart; same labels and size
 * @param mirrorable whether a picture and its mirror image have the same label: true of garments, not of digits
 * @param background what the pictures stand on, to which pictures sent later are brought
 * @param fingerprints by file name, of what was read
 * @param dropped what was left out and why, one line each
 */
public record ImageSource(
        String name,
        ImageSet development,
        @Nullable ImageSet test,
        boolean mirrorable,
        Background background,
        Map<String, Fingerprint> fingerprints,
        List<String> dropped) {
    public ImageSource {
        fingerprints = Collections.unmodifiableMap(new LinkedHashMap<>(fingerprints));
        dropped = List.copyOf(dropped);
    }
}
