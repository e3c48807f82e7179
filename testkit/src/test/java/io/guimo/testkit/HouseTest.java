package io.guimo.testkit;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Holds the order of the house: dependency arrows point to the ground only, and each outer library enters through one door. */
class HouseTest {
    /** What each module may use; the transitive closure is written out so that a new arrow is a visible change of this table. */
    private static final Map<String, Set<String>> MAY_USE = Map.ofEntries(
            Map.entry("units", Set.of()),
            Map.entry("postgres", Set.of("units")),
            Map.entry("tensor", Set.of("units")),
            Map.entry("text", Set.of("units")),
            Map.entry("data", Set.of("units", "text", "tensor")),
            Map.entry("model", Set.of("units", "tensor", "text")),
            Map.entry("evaluate", Set.of("units", "text", "tensor", "data", "model")),
            Map.entry("task", Set.of("units", "text", "tensor", "data", "model", "evaluate")),
            Map.entry("train", Set.of("units", "text", "tensor", "data", "model", "evaluate", "task")),
            Map.entry("registry", Set.of("units", "postgres", "text", "tensor", "data", "model", "evaluate", "task")),
            Map.entry(
                    "inference",
                    Set.of("units", "postgres", "text", "tensor", "data", "model", "evaluate", "task", "registry")),
            Map.entry("commerce", Set.of("units", "postgres")),
            Map.entry("economics", Set.of("units", "postgres", "commerce", "registry")),
            Map.entry(
                    "serve",
                    Set.of(
                            "units",
                            "postgres",
                            "text",
                            "tensor",
                            "data",
                            "model",
                            "evaluate",
                            "task",
                            "train",
                            "registry",
                            "inference",
                            "commerce",
                            "economics")));

    private static final JavaClasses HOUSE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.guimo");

    private static List<String> modules() throws IOException {
        String pom = Files.readString(Path.of(System.getProperty("guimo.root"), "pom.xml"));
        return Pattern.compile("<module>(.*?)</module>")
                .matcher(pom)
                .results()
                .map(m -> m.group(1))
                .toList();
    }

    @Test
    void everyModule_usesOnlyWhatStandsAboveItInTheList() throws IOException {
        List<String> modules = modules();
        for (String module : modules) {
            Set<String> permitted =
                    MAY_USE.getOrDefault(module, Set.copyOf(modules.subList(0, modules.indexOf(module))));
            String[] forbidden = modules.stream()
                    .filter(m -> !m.equals(module) && !permitted.contains(m))
                    .map(m -> "io.guimo." + m + "..")
                    .toArray(String[]::new);
            noClasses()
                    .that()
                    .resideInAPackage("io.guimo." + module + "..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(forbidden)
                    .allowEmptyShould(true)
                    .check(HOUSE);
        }
    }

    @Test
    void everyModule_hasWork() throws IOException {
        Map<String, Long> classes = HOUSE.stream()
                .filter(c -> !c.getSimpleName().equals("package-info"))
                .collect(Collectors.groupingBy(c -> c.getPackageName().split("\\.")[2], Collectors.counting()));
        assertThat(classes.keySet()).containsAll(modules());
    }

    @Test
    void outerLibraries_enterThroughOneModule() {
        Map<String, String> doors = Map.of(
                "tensor",
                "org.bytedeco..",
                "serve",
                "io.helidon..",
                "launch",
                "picocli..",
                "evaluate",
                "org.tribuo..",
                "inference",
                "ai.onnxruntime..",
                "text",
                "ai.djl..");
        doors.forEach((module, library) -> noClasses()
                .that()
                .resideOutsideOfPackage("io.guimo." + module + "..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(library)
                .check(HOUSE));
    }

    @Test
    void everyPackage_saysWhatItIs() throws IOException {
        Path root = Path.of(System.getProperty("guimo.root"));
        Set<String> silent = new TreeSet<>();
        for (String module : modules()) {
            try (Stream<Path> files = Files.walk(root.resolve(module).resolve("src/main/java"))) {
                for (Path folder : files.filter(p -> p.toString().endsWith(".java"))
                        .map(Path::getParent)
                        .collect(Collectors.toSet())) {
                    Path info = folder.resolve("package-info.java");
                    if (!Files.exists(info)
                            || !Files.readString(info).contains("/**")
                            || !Files.readString(info).contains("@NullMarked")) {
                        silent.add(root.relativize(folder).toString());
                    }
                }
            }
        }
        assertThat(silent).isEmpty();
    }
}
