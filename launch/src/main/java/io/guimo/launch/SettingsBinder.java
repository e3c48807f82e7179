package io.guimo.launch;

import io.guimo.units.NearestName;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Currency;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * Binds a tree of YAML to records and collects every mistake with its place, instead of stopping at the first.
 *
 * <p>The records say what is permitted: a component is optional when it is {@code @Nullable}, a closed choice is an enum or a sealed interface of
 * records (chosen by the key {@code kind}), and a compact constructor refuses a bad value by an {@link IllegalArgumentException} whose message
 * is reported at the value's line and column. {@link SettingsSchema} describes the same records as JSON Schema.
 */
final class SettingsBinder {
    /** Stands for a value that could not be bound; its problem is already recorded. */
    private static final Invalid INVALID = new Invalid();

    private static final class Invalid {}

    private final String file;
    private final List<SettingsProblem> problems;

    SettingsBinder(String file, List<SettingsProblem> problems) {
        this.file = file;
        this.problems = problems;
    }

    /** The record, or null if the tree holds a mistake; each is in the list of problems. */
    <T extends Record> @Nullable T bind(Class<T> type, Node node) {
        Object value = value(type, node, "");
        return value instanceof Invalid ? null : type.cast(value);
    }

    private Object value(Type type, Node node, String path) {
        if (type instanceof ParameterizedType parameterized) {
            Type[] arguments = parameterized.getActualTypeArguments();
            if (parameterized.getRawType().equals(List.class)) return list(arguments[0], node, path);
            if (parameterized.getRawType().equals(Map.class) && arguments[0].equals(String.class))
                return map(arguments[1], node, path);
            throw new IllegalStateException("a settings record cannot hold " + type);
        }
        Class<?> raw = (Class<?>) type;
        if (raw.isRecord()) return record(raw, node, path, List.of());
        if (raw.isSealed()) return choice(raw, node, path);
        return scalar(raw, node, path);
    }

    private Object list(Type element, Node node, String path) {
        if (!(node instanceof SequenceNode sequence))
            return problem(node, path, "expected a list, found " + kindOf(node));
        List<Object> values = new ArrayList<>();
        boolean valid = true;
        for (int i = 0; i < sequence.getValue().size(); i++) {
            Object value = value(element, sequence.getValue().get(i), path + "[" + i + "]");
            valid &= !(value instanceof Invalid);
            values.add(value);
        }
        return valid ? List.copyOf(values) : INVALID;
    }

    private Object map(Type element, Node node, String path) {
        if (!(node instanceof MappingNode mapping))
            return problem(node, path, "expected names with values, found " + kindOf(node));
        Map<String, Object> values = new LinkedHashMap<>();
        boolean valid = true;
        for (NodeTuple entry : mapping.getValue()) {
            String key = keyOf(entry);
            if (values.containsKey(key)) valid = twice(entry, path);
            Object value = value(element, entry.getValueNode(), join(path, key));
            valid &= !(value instanceof Invalid);
            values.put(key, value);
        }
        return valid ? java.util.Collections.unmodifiableMap(values) : INVALID;
    }

    private Object choice(Class<?> sealed, Node node, String path) {
        if (!(node instanceof MappingNode mapping))
            return problem(node, path, "expected names with values, found " + kindOf(node));
        Map<String, Class<?>> kinds = kindsOf(sealed);
        for (NodeTuple entry : mapping.getValue()) {
            if (!keyOf(entry).equals("kind")) continue;
            String kind = entry.getValueNode() instanceof ScalarNode s ? s.getValue() : "";
            Class<?> chosen = kinds.get(kind);
            if (chosen != null) return record(chosen, node, path, List.of("kind"));
            return problem(
                    entry.getValueNode(), join(path, "kind"), unknown("kind", kind, List.copyOf(kinds.keySet())));
        }
        return problem(node, path, "the key kind is missing; it is one of " + String.join(", ", kinds.keySet()));
    }

    private Object record(Class<?> type, Node node, String path, List<String> alsoKnown) {
        if (!(node instanceof MappingNode mapping)) {
            return problem(
                    node,
                    path,
                    "expected names with values (" + String.join(", ", namesOf(type)) + "), found " + kindOf(node));
        }
        RecordComponent[] components = type.getRecordComponents();
        Map<String, NodeTuple> given = new LinkedHashMap<>();
        boolean valid = true;
        List<String> names = namesOf(type);
        for (NodeTuple entry : mapping.getValue()) {
            String key = keyOf(entry);
            if (names.contains(key)) {
                if (given.put(key, entry) != null) valid = twice(entry, path);
            } else if (!alsoKnown.contains(key)) {
                problem(entry.getKeyNode(), join(path, key), unknown("key", key, names));
                valid = false;
            }
        }
        Object[] arguments = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            String name = components[i].getName();
            NodeTuple entry = given.get(name);
            if (entry == null || isNull(entry.getValueNode())) {
                if (!isOptional(components[i])) {
                    problem(node, path, "the key " + name + " is missing");
                    valid = false;
                }
                continue;
            }
            arguments[i] = value(components[i].getGenericType(), entry.getValueNode(), join(path, name));
            valid &= !(arguments[i] instanceof Invalid);
        }
        return valid ? construct(type, components, arguments, node, path, given) : INVALID;
    }

    /** YAML itself permits no key twice; the one that counts would be a guess. */
    private boolean twice(NodeTuple entry, String path) {
        problem(entry.getKeyNode(), join(path, keyOf(entry)), "this key is given twice; keep one of them");
        return false;
    }

    private Object construct(
            Class<?> type,
            RecordComponent[] components,
            Object[] arguments,
            Node node,
            String path,
            Map<String, NodeTuple> given) {
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(
                    Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
            constructor.setAccessible(true);
            return constructor.newInstance(arguments);
        } catch (InvocationTargetException e) {
            if (!(e.getCause() instanceof IllegalArgumentException refusal))
                throw new IllegalStateException(type + " failed", e.getCause());
            String message = String.valueOf(refusal.getMessage());
            // A constructor's message begins with the component it refuses wherever it is about one.
            Node place = given.entrySet().stream()
                    .filter(g -> message.startsWith(g.getKey() + " ") || message.startsWith(g.getKey() + ":"))
                    .map(g -> g.getValue().getValueNode())
                    .findFirst()
                    .orElse(node);
            return problem(place, path, message);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot construct " + type, e);
        }
    }

    private Object scalar(Class<?> type, Node node, String path) {
        if (!(node instanceof ScalarNode scalar))
            return problem(node, path, "expected " + wordFor(type) + ", found " + kindOf(node));
        String text = scalar.getValue();
        try {
            if (type == String.class) return text;
            if (type.isEnum()) {
                for (Object constant : type.getEnumConstants())
                    if (wireName((Enum<?>) constant).equals(text)) return constant;
                return problem(node, path, unknown("value", text, wireNames(type)));
            }
            if (type == int.class || type == Integer.class) return new BigDecimal(text).intValueExact();
            if (type == long.class || type == Long.class) return new BigDecimal(text).longValueExact();
            if (type == double.class || type == Double.class) return finite(text);
            if (type == BigDecimal.class) return new BigDecimal(text);
            if (type == boolean.class || type == Boolean.class) {
                return switch (text) {
                    case "true" -> true;
                    case "false" -> false;
                    default -> problem(node, path, "'" + text + "' is not true or false");
                };
            }
            if (type == Currency.class) return Currency.getInstance(text);
            if (type == Duration.class) return Duration.parse(text);
            if (type == URI.class) return URI.create(text);
        } catch (ArithmeticException | IllegalArgumentException | DateTimeParseException e) {
            return problem(node, path, "'" + text + "' is not " + wordFor(type));
        }
        throw new IllegalStateException("a settings record cannot hold " + type);
    }

    private static double finite(String text) {
        double value = Double.parseDouble(text);
        if (!Double.isFinite(value)) throw new NumberFormatException("not finite");
        return value;
    }

    static Map<String, Class<?>> kindsOf(Class<?> sealed) {
        Map<String, Class<?>> kinds = new LinkedHashMap<>();
        for (Class<?> permitted : sealed.getPermittedSubclasses())
            kinds.put(kebab(permitted.getSimpleName()), permitted);
        return kinds;
    }

    static boolean isOptional(RecordComponent component) {
        return component.getAnnotatedType().isAnnotationPresent(Nullable.class);
    }

    static List<String> wireNames(Class<?> enumType) {
        return Arrays.stream(enumType.getEnumConstants())
                .map(c -> wireName((Enum<?>) c))
                .toList();
    }

    private static String wireName(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** {@code LinearAutoencoder} → {@code linear-autoencoder}. */
    private static String kebab(String typeName) {
        return typeName.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
    }

    static String wordFor(Class<?> type) {
        if (type == int.class || type == Integer.class || type == long.class || type == Long.class)
            return "a whole number";
        if (type == double.class || type == Double.class || type == BigDecimal.class) return "a number";
        if (type == boolean.class || type == Boolean.class) return "true or false";
        if (type == Currency.class) return "a currency code of ISO 4217, such as CNY";
        if (type == Duration.class) return "a duration, such as PT30S or P1D";
        if (type == URI.class) return "an address";
        return type.isEnum() ? "one of " + String.join(", ", wireNames(type)) : "text";
    }

    private static String unknown(String what, String name, List<String> known) {
        String nearest =
                NearestName.of(name, known).map(n -> "did you mean " + n + "? ").orElse("");
        return "unknown " + what + " '" + name + "'; " + nearest + "permitted: " + String.join(", ", known);
    }

    private static List<String> namesOf(Class<?> record) {
        return Arrays.stream(record.getRecordComponents())
                .map(RecordComponent::getName)
                .toList();
    }

    private static String keyOf(NodeTuple entry) {
        return entry.getKeyNode() instanceof ScalarNode s ? s.getValue() : "?";
    }

    private static boolean isNull(Node node) {
        return node.getTag().equals(Tag.NULL);
    }

    private static String kindOf(Node node) {
        return switch (node) {
            case MappingNode m -> "names with values";
            case SequenceNode s -> "a list";
            case ScalarNode s when isNull(s) -> "nothing";
            case ScalarNode s -> "'" + abbreviate(s.getValue()) + "'";
            default -> node.getNodeType().toString();
        };
    }

    private static String abbreviate(String text) {
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }

    private static String join(String path, String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    private Object problem(Node node, String path, String message) {
        var mark = node.getStartMark().orElseThrow();
        problems.add(new SettingsProblem(file, mark.getLine() + 1, mark.getColumn() + 1, path, message));
        return INVALID;
    }
}
