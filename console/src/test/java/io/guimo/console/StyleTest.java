package io.guimo.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Contrast of text on its ground in both colour schemes, by WCAG 2.2, success criterion 1.4.3: at least 4.5 to 1. */
class StyleTest {
    private static final double LEAST_CONTRAST = 4.5;
    private static final Pattern TOKEN = Pattern.compile("--([a-z0-9-]+): (#[0-9a-f]{6});");

    @ParameterizedTest
    @CsvSource({
        "ink, paper",
        "ink, surface",
        "ink, raised",
        "ink, sunken",
        "ink-soft, paper",
        "ink-soft, surface",
        "ink-soft, raised",
        "ink-soft, sunken",
        "accent, surface",
        "accent, paper",
        "accent, accent-wash",
        "accent-ink, accent",
        "ink, accent-wash",
        "ink-soft, accent-wash",
        "good, surface",
        "good, good-wash",
        "ink, good-wash",
        "warn, warn-wash",
        "bad, surface",
        "bad, bad-wash",
        "ink, bad-wash",
        "ink-soft, bad-wash"
    })
    void text_onItsGround_isReadable(String text, String ground) throws IOException {
        String style = Files.readString(Path.of("src/main/resources/io/guimo/console/web/style.css"));
        int dark = style.indexOf("prefers-color-scheme: dark");
        for (String scheme : new String[] {style.substring(0, dark), style.substring(dark)}) {
            Map<String, String> tokens = new HashMap<>();
            TOKEN.matcher(scheme).results().forEach(m -> tokens.put(m.group(1), m.group(2)));
            assertThat(tokens).containsKeys(text, ground);
            assertThat(contrast(tokens.getOrDefault(text, ""), tokens.getOrDefault(ground, "")))
                    .isGreaterThanOrEqualTo(LEAST_CONTRAST);
        }
    }

    private static double contrast(String one, String other) {
        double a = luminance(one);
        double b = luminance(other);
        return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    }

    /** Relative luminance of sRGB, as WCAG 2.2 defines it. */
    private static double luminance(String hex) {
        double[] weights = {.2126, .7152, .0722};
        double sum = 0;
        for (int i = 0; i < 3; i++) {
            double value = Integer.parseInt(hex.substring(1 + 2 * i, 3 + 2 * i), 16) / 255.0;
            sum += weights[i] * (value <= .04045 ? value / 12.92 : Math.pow((value + .055) / 1.055, 2.4));
        }
        return sum;
    }
}
