package io.guimo.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The dictionary against the scripts that use it. */
class WordsTest {
    private static final Path WEB = Path.of("src/main/resources/io/guimo/console/web");
    private static final String STRING = "'((?:[^'\\\\]|\\\\.)*)'";
    private static final Pattern ENTRY = Pattern.compile("^  " + STRING + ": \\[" + STRING + ", " + STRING + "\\],$");
    private static final Pattern USE = Pattern.compile("\\bt\\('([^']+)'");
    private static final Pattern FAMILY_USE = Pattern.compile("(?:\\bt\\(|\\bwords\\[)`([^`$]+)\\$\\{[^}]+\\}([^`]*)`");
    private static final Pattern CODE_USE = Pattern.compile("\\bcode\\('([^']+)'");
    private static final Pattern TAKEN = Pattern.compile("(?:import|const) \\{([^}:]*)\\} (?:from|=)");
    private static final Pattern HOLE = Pattern.compile("\\{(\\w+)\\}");
    private static final Pattern CHINESE = Pattern.compile("\\p{IsHan}");

    private final Map<String, List<String>> words = words();
    private final Map<String, String> scripts = scripts();

    @Test
    void entry_everyOne_hasBothLanguagesWithTheSameHoles() {
        words.forEach((key, entry) -> {
            assertThat(entry).as(key).noneMatch(String::isBlank);
            assertThat(holes(entry.get(1))).as(key).isEqualTo(holes(entry.get(0)));
        });
        assertThat(words).hasSizeGreaterThan(150);
    }

    @Test
    void key_usedByAScript_isInTheDictionary() {
        scripts.forEach((name, script) -> assertThat(words.keySet()).as(name).containsAll(matches(USE, script)));
    }

    @Test
    void key_inTheDictionary_isUsed() {
        String all = String.join("\n", scripts.values());
        Set<String> used = matches(USE, all);
        Set<String> families = matches(CODE_USE, all);
        List<Pattern> shapes = FAMILY_USE
                .matcher(all)
                .results()
                .map(m -> Pattern.compile(Pattern.quote(m.group(1)) + ".+" + Pattern.quote(m.group(2))))
                .toList();

        assertThat(words.keySet())
                .allMatch(key -> used.contains(key)
                        || families.contains(key.substring(0, Math.max(0, key.indexOf('.'))))
                        || shapes.stream().anyMatch(shape -> shape.matcher(key).matches()));
    }

    @Test
    void script_otherThanTheDictionary_holdsNoChinese() {
        scripts.forEach((name, script) ->
                assertThat(CHINESE.matcher(script).find()).as(name).isFalse());
    }

    @Test
    void name_takenFromAnotherModule_isUsed() {
        scripts.forEach((name, script) -> {
            for (String taken : matches(TAKEN, script)) {
                for (String each : taken.split(",")) {
                    String used = each.strip();
                    if (used.isEmpty()) continue;
                    assertThat(Pattern.compile("(?<![\\w$'-])" + Pattern.quote(used) + "(?![\\w$])")
                                    .matcher(script)
                                    .results()
                                    .count())
                            .as(used + " in " + name)
                            .isGreaterThan(1);
                }
            }
        });
    }

    @Test
    void thing_namedInChinese_isChinese() throws IOException {
        String things = Files.readString(WEB.resolve("words.js")).split("export const things", 2)[1];
        Matcher pair = Pattern.compile(STRING + ": " + STRING).matcher(things);
        Map<String, String> names = new LinkedHashMap<>();
        while (pair.find()) {
            assertThat(names.put(pair.group(1), pair.group(2)))
                    .as(pair.group(1) + " twice")
                    .isNull();
            assertThat(pair.group(2)).containsPattern(CHINESE);
        }
        assertThat(names).hasSize(10 + 122);
    }

    private static Map<String, List<String>> words() {
        String text = read(WEB.resolve("words.js"));
        String dictionary = text.substring(text.indexOf("export const words"), text.indexOf("export const things"));
        Map<String, List<String>> words = new LinkedHashMap<>();
        for (String line : dictionary.lines().toList()) {
            Matcher entry = ENTRY.matcher(line);
            if (entry.matches()) {
                assertThat(words.put(entry.group(1), List.of(entry.group(2), entry.group(3))))
                        .as(entry.group(1) + " twice")
                        .isNull();
            } else {
                assertThat(line).as("a line of the dictionary").doesNotStartWith("  '");
            }
        }
        return words;
    }

    private static Map<String, String> scripts() {
        try (Stream<Path> files = Files.list(WEB)) {
            return files.filter(file -> file.toString().endsWith(".js") && !file.endsWith("words.js"))
                    .collect(Collectors.toMap(file -> file.getFileName().toString(), WordsTest::read));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Set<String> holes(String text) {
        return matches(HOLE, text);
    }

    private static Set<String> matches(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(m -> m.group(1)).collect(Collectors.toCollection(TreeSet::new));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
