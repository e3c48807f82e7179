package io.guimo.launch;

import io.guimo.commerce.price.PlanSettings;
import io.guimo.commerce.price.TierRule;
import io.guimo.data.Catalogue;
import io.guimo.data.CatalogueEntry;
import io.guimo.task.TaskName;
import io.guimo.units.Meter;
import io.guimo.units.NearestName;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** Reads a business file: YAML to {@link Business}, every mistake at once with its line and column. */
final class BusinessFile {
    /** A business file is written by a person; more is a mistake or an attack. */
    private static final int MAX_BYTES = 1 << 20;

    private final String name;
    private final Catalogue catalogue;
    private final List<SettingsProblem> problems = new ArrayList<>();

    private BusinessFile(String name, Catalogue catalogue) {
        this.name = name;
        this.catalogue = catalogue;
    }

    /**
     * @param path the file, or a folder that holds one YAML file
     * @throws CommandFailure that lists every mistake
     */
    static Business read(Path path, Catalogue catalogue) throws IOException {
        Path file = Files.isDirectory(path) ? onlyFileOf(path) : path;
        if (!Files.exists(file))
            throw new CommandFailure("there is no business file " + file
                    + "; name one, or a folder that holds one, such as examples/shop");
        if (Files.size(file) > MAX_BYTES)
            throw new CommandFailure(
                    file + " has " + Files.size(file) + " bytes; a business file has at most " + MAX_BYTES);
        String text;
        try {
            text = Files.readString(file);
        } catch (MalformedInputException e) {
            throw new CommandFailure(file + " is not text in UTF-8", e);
        }
        return parse(file.toString(), text, catalogue);
    }

    static Business parse(String name, String text, Catalogue catalogue) {
        BusinessFile reader = new BusinessFile(name, catalogue);
        Business business = reader.bind(text);
        if (business == null || !reader.problems.isEmpty()) {
            int count = reader.problems.size();
            throw new CommandFailure((count == 1 ? "1 mistake" : count + " mistakes") + " in " + name + ":\n"
                    + reader.problems.stream().sorted().map(p -> "  " + p).collect(Collectors.joining("\n")));
        }
        return business;
    }

    private static Path onlyFileOf(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            List<Path> found = files.filter(
                            f -> f.toString().endsWith(".yaml") || f.toString().endsWith(".yml"))
                    .sorted()
                    .toList();
            if (found.size() == 1) return found.getFirst();
            throw new CommandFailure(folder
                    + (found.isEmpty()
                            ? " holds no business file (*.yaml)"
                            : " holds several business files " + found + "; name one"));
        }
    }

    private @Nullable Business bind(String text) {
        Optional<Node> tree;
        try {
            tree = new Compose(LoadSettings.builder()
                            .setLabel(name)
                            .setUseMarks(true)
                            .setCodePointLimit(MAX_BYTES)
                            .setAllowDuplicateKeys(false)
                            .build())
                    .composeString(text);
        } catch (MarkedYamlEngineException e) {
            Mark mark = e.getProblemMark().or(e::getContextMark).orElse(null);
            problem(mark, "", "this is not YAML here: " + e.getProblem());
            return null;
        } catch (YamlEngineException e) {
            problems.add(new SettingsProblem(name, 1, 1, "", "this is not YAML: " + e.getMessage()));
            return null;
        }
        if (tree.isEmpty()) {
            problems.add(new SettingsProblem(name, 1, 1, "", "the file is empty; see examples/shop/shop.yaml"));
            return null;
        }
        Business business = new SettingsBinder(name, problems).bind(Business.class, tree.get());
        new References(tree.get()).check();
        if (business != null) {
            checkPrices(business, tree.get());
            checkSources(business, tree.get());
        }
        return business;
    }

    /** A rate that cannot be kept, tiers out of order, a meter that the model does not have: found by making the price rules. */
    private void checkPrices(Business business, Node root) {
        for (int i = 0; i < business.plans().size(); i++) {
            PlanSettings plan = business.plans().get(i);
            try {
                Map<String, Map<Meter, TierRule>> rules =
                        plan.rules(business.currency(), other -> business.plans().stream()
                                .filter(p -> p.name().equals(other))
                                .findFirst());
                for (var product : rules.entrySet()) {
                    ModelSettings model = business.models().get(product.getKey());
                    if (model == null) continue; // reported by References
                    List<Meter> sold = model.task().task().meters();
                    for (Meter meter : product.getValue().keySet()) {
                        if (sold.contains(meter)) continue;
                        References.at(
                                this,
                                root,
                                "plans[" + i + "].prices." + product.getKey(),
                                "a price per " + meter.unit() + " (" + meter.wireName() + "), but "
                                        + model.task().fileName() + " is sold by "
                                        + sold.stream()
                                                .map(m -> m.unit() + " (" + m.wireName() + ")")
                                                .toList());
                    }
                }
            } catch (IllegalArgumentException | ArithmeticException e) {
                References.at(this, root, "plans[" + i + "].prices", String.valueOf(e.getMessage()));
            }
        }
    }

    /** A catalogue entry that is no model, or one for another task. */
    private void checkSources(Business business, Node root) {
        business.models().forEach((name, model) -> {
            String catalogued = model.from() == null ? null : model.from().catalog();
            if (catalogued == null) return;
            Optional<CatalogueEntry> entry = catalogue.find(catalogued);
            if (entry.isEmpty()) return; // reported by References
            Optional<TaskName> served = PretrainedModels.taskOf(entry.get());
            if (served.equals(Optional.of(model.task()))) return;
            References.at(
                    this,
                    root,
                    "models." + name + ".from.catalog",
                    served.map(task -> catalogued + " is a model for " + task.fileName() + ", not for "
                                            + model.task().fileName())
                                    .orElse(catalogued + " is no model")
                            + "; for " + model.task().fileName() + " the catalogue has "
                            + catalogue.list().stream()
                                    .filter(e -> PretrainedModels.taskOf(e).equals(Optional.of(model.task())))
                                    .map(CatalogueEntry::name)
                                    .toList());
        });
    }

    private void problem(@Nullable Mark mark, String path, String message) {
        problems.add(new SettingsProblem(
                name, mark == null ? 1 : mark.getLine() + 1, mark == null ? 1 : mark.getColumn() + 1, path, message));
    }

    /** Checks that names used in one block exist in another. Works on the tree, so that mistakes elsewhere do not hide these. */
    private final class References {
        private final Node root;

        References(Node root) {
            this.root = root;
        }

        void check() {
            List<String> data = keys("data");
            List<String> models = keys("models");
            List<String> catalogued =
                    catalogue.list().stream().map(e -> e.name()).toList();
            for (String name : data) known("data." + name + ".catalog", "catalogue entry", catalogued);
            for (String name : models) {
                known("models." + name + ".data", "data set", data);
                known("models." + name + ".from.catalog", "catalogue entry", catalogued);
                checkFallback(name, models);
            }
            Set<String> priced = new HashSet<>();
            List<String> plans = new ArrayList<>();
            int count = find("plans") instanceof SequenceNode sequence
                    ? sequence.getValue().size()
                    : 0;
            for (int i = 0; i < count; i++) {
                String plan = "plans[" + i + "]";
                text(plan + ".name").ifPresent(plans::add);
                for (String product : keys(plan + ".prices")) {
                    priced.add(product);
                    if (!models.contains(product))
                        at(BusinessFile.this, root, plan + ".prices." + product, unknown("model", product, models));
                }
            }
            for (String model : models) {
                if (priced.contains(model)) continue;
                at(
                        BusinessFile.this,
                        root,
                        "models." + model,
                        "no plan prices this model, and a model without a price is refused, never free: add it to a plan's prices");
            }
            known("demonstration.plan", "plan", plans);
        }

        /** Another model that other servers answer for, and no way back to this one. */
        private void checkFallback(String model, List<String> models) {
            String path = "models." + model + ".from.remote.fallback";
            List<String> remote = models.stream()
                    .filter(m -> find("models." + m + ".from.remote") != null
                            || find("models." + m + ".from.upstream") != null)
                    .toList();
            known(path, "remote model", remote);
            String next = text(path).orElse(null);
            for (int i = 0; next != null && i <= models.size(); i++) {
                if (next.equals(model)) {
                    at(BusinessFile.this, root, path, "the fallbacks lead back to this model; end them at another one");
                    return;
                }
                next = text("models." + next + ".from.remote.fallback").orElse(null);
            }
        }

        private void known(String path, String what, List<String> names) {
            text(path)
                    .filter(name -> !names.contains(name))
                    .ifPresent(name -> at(BusinessFile.this, root, path, unknown(what, name, names)));
        }

        private static String unknown(String what, String name, List<String> names) {
            return "there is no " + what + " '" + name + "'; "
                    + NearestName.of(name, names)
                            .map(n -> "did you mean " + n + "? ")
                            .orElse("") + (names.isEmpty() ? "none is defined" : "known: " + String.join(", ", names));
        }

        private Optional<String> text(String path) {
            return find(path) instanceof ScalarNode scalar ? Optional.of(scalar.getValue()) : Optional.empty();
        }

        private List<String> keys(String path) {
            if (!(find(path) instanceof MappingNode mapping)) return List.of();
            return mapping.getValue().stream()
                    .map(e -> e.getKeyNode())
                    .filter(ScalarNode.class::isInstance)
                    .map(k -> ((ScalarNode) k).getValue())
                    .toList();
        }

        /** The node at exactly this path, or null. */
        private @Nullable Node find(String path) {
            Place place = nearest(root, path);
            return place.rest.isEmpty() ? place.node : null;
        }

        /** Reports at the node of the path, or of the nearest one above it; a name rather than what stands under it. */
        static void at(BusinessFile file, Node root, String path, String message) {
            Place place = nearest(root, path);
            file.problem(
                    (place.node instanceof ScalarNode ? place.node : place.key)
                            .getStartMark()
                            .orElse(null),
                    path,
                    message);
        }

        private record Place(Node key, Node node, String rest) {}

        private static Place nearest(Node root, String path) {
            Place place = new Place(root, root, path);
            while (!place.rest.isEmpty()) {
                Place next = step(place);
                if (next == null) return place;
                place = next;
            }
            return place;
        }

        /** Model names may hold dots, so a key is matched against the path and not the path cut at dots. */
        private static @Nullable Place step(Place from) {
            if (from.rest.startsWith("[") && from.node instanceof SequenceNode sequence) {
                int end = from.rest.indexOf(']');
                Node element = sequence.getValue().get(Integer.parseInt(from.rest.substring(1, end)));
                return new Place(element, element, from.rest.substring(end + 1).replaceFirst("^\\.", ""));
            }
            if (!(from.node instanceof MappingNode mapping)) return null;
            for (var entry : mapping.getValue()) {
                String key = entry.getKeyNode() instanceof ScalarNode s ? s.getValue() : "";
                if (key.isEmpty()
                        || !(from.rest.equals(key)
                                || from.rest.startsWith(key + ".")
                                || from.rest.startsWith(key + "["))) continue;
                return new Place(
                        entry.getKeyNode(),
                        entry.getValueNode(),
                        from.rest.substring(key.length()).replaceFirst("^\\.", ""));
            }
            return null;
        }
    }
}
