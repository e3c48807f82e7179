package io.guimo.registry;

import io.guimo.registry.PackageFile.Format;
import io.guimo.registry.PackageFile.Role;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The stored form of a manifest, version 1: a JSON object in UTF-8. Written by hand rather than bound to {@link Manifest}, so that the record can
 * change while files that exist stay readable; a next version adds a reader beside this one.
 *
 * <p>A manifest is foreign until its signature is checked, and read only then; the bounds here hold nevertheless, for keys can be stolen.
 */
final class ManifestFormat {
    static final int VERSION = 1;

    /** A manifest of {@value Manifest#MAX_FILES} files takes some 60 KiB. */
    static final int MAX_BYTES = 1 << 20;

    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(32)
                            .maxStringLength(MAX_BYTES)
                            .maxNumberLength(64)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private ManifestFormat() {}

    static byte[] write(Manifest manifest) {
        ObjectNode root = JSON.createObjectNode();
        root.put("formatVersion", manifest.formatVersion());
        Provenance made = manifest.provenance();
        root.put("task", made.task());
        if (made.architecture() != null) root.set("architecture", JSON.readTree(made.architecture()));
        ObjectNode steps = root.putObject("stepVersions");
        made.stepVersions().forEach(steps::put);
        if (made.baseModelDigest() != null) root.put("baseModelDigest", made.baseModelDigest());
        ObjectNode metrics = root.putObject("metrics");
        made.metrics().forEach(metrics::put);
        ArrayNode comparisons = root.putArray("comparisons");
        for (Comparison comparison : made.comparisons()) comparisons.add(write(comparison));
        if (made.gate() != null) root.set("gate", write(made.gate()));
        ObjectNode fingerprints = root.putObject("dataFingerprints");
        made.dataFingerprints().forEach(fingerprints::put);
        if (made.runId() != null) root.put("runId", made.runId());
        root.put("codeVersion", made.codeVersion());
        root.put("createdAt", manifest.createdAt().toString());
        ArrayNode files = root.putArray("files");
        for (PackageFile file : manifest.files()) {
            files.addObject()
                    .put("role", file.role().wireName())
                    .put("format", file.format().wireName())
                    .put("name", file.name())
                    .put("bytes", file.bytes())
                    .put("sha256", file.sha256());
        }
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
    }

    private static ObjectNode write(Comparison comparison) {
        ObjectNode node = JSON.createObjectNode()
                .put("baseline", comparison.baseline())
                .put("metric", comparison.metric())
                .put("modelValue", comparison.modelValue())
                .put("baselineValue", comparison.baselineValue());
        if (comparison.differenceLowerBound() != null)
            node.put("differenceLowerBound", comparison.differenceLowerBound());
        return node;
    }

    /** Also the form in which the database keeps a gate's result. */
    static ObjectNode write(GateResult result) {
        ObjectNode node = JSON.createObjectNode().put("passed", result.passed());
        ArrayNode checks = node.putArray("checks");
        for (GateResult.Check check : result.checks()) {
            ObjectNode one = checks.addObject().put("rule", check.rule());
            // JSON has no NaN; a metric that was not measured is null.
            if (Double.isNaN(check.value())) one.putNull("value");
            else one.put("value", check.value());
            one.put("threshold", check.threshold()).put("passed", check.passed());
        }
        return node;
    }

    /** @throws IllegalArgumentException saying what is wrong and where */
    static Manifest read(byte[] content) {
        if (content.length > MAX_BYTES) {
            throw new IllegalArgumentException(
                    "the manifest has " + content.length + " bytes; permitted are " + MAX_BYTES);
        }
        JsonNode root;
        try {
            root = JSON.readTree(content);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("the manifest is not JSON: " + Shown.text(e.getOriginalMessage()), e);
        }
        Fields fields = new Fields("manifest", root);
        int version = fields.integer("formatVersion");
        if (version != VERSION) {
            throw new IllegalArgumentException("the manifest's formatVersion is " + version + "; this program reads "
                    + VERSION + ": use a newer program, or have the package made again");
        }
        JsonNode architecture = root.get("architecture");
        JsonNode gate = root.get("gate");
        Provenance made = new Provenance(
                fields.text("task"),
                architecture == null ? null : architecture.toString(),
                fields.map("stepVersions", Fields::asInteger),
                fields.optionalText("baseModelDigest"),
                fields.map("metrics", Fields::asNumber),
                fields.list("comparisons", ManifestFormat::comparison),
                gate == null ? null : readGate(new Fields("gate", gate)),
                fields.map("dataFingerprints", Fields::asText),
                fields.optionalText("runId"),
                fields.text("codeVersion"));
        return new Manifest(
                version, made, instant(fields.text("createdAt")), fields.list("files", ManifestFormat::file));
    }

    private static Comparison comparison(Fields f) {
        return new Comparison(
                f.text("baseline"),
                f.text("metric"),
                f.number("modelValue"),
                f.number("baselineValue"),
                f.node.has("differenceLowerBound") ? (Double) f.number("differenceLowerBound") : null);
    }

    /** @param json what {@link #write(GateResult)} wrote */
    static GateResult readGate(String json) {
        return readGate(new Fields("gate", JSON.readTree(json)));
    }

    private static GateResult readGate(Fields fields) {
        return new GateResult(fields.list(
                "checks",
                f -> new GateResult.Check(
                        f.text("rule"),
                        f.node.path("value").isNull() ? Double.NaN : f.number("value"),
                        f.number("threshold"),
                        f.flag("passed"))));
    }

    private static PackageFile file(Fields f) {
        return new PackageFile(
                oneOf(Role.values(), Role::wireName, "role", f.text("role")),
                oneOf(Format.values(), Format::wireName, "format", f.text("format")),
                f.text("name"),
                f.integral("bytes"),
                f.text("sha256"));
    }

    private static <E> E oneOf(E[] values, Function<E, String> wireName, String field, String found) {
        for (E value : values) if (wireName.apply(value).equals(found)) return value;
        throw new IllegalArgumentException(field + " is '" + Shown.text(found) + "'; permitted are "
                + String.join(", ", Arrays.stream(values).map(wireName).toList()));
    }

    private static Instant instant(String text) {
        try {
            return Instant.parse(text);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(
                    "createdAt is '" + Shown.text(text) + "'; an ISO 8601 instant is needed", e);
        }
    }

    /** Reads the fields of one object and says by name which is missing or of the wrong kind. */
    private record Fields(String what, JsonNode node) {
        Fields {
            if (!node.isObject()) throw new IllegalArgumentException(what + " is not a JSON object");
        }

        private JsonNode need(String name) {
            @Nullable JsonNode value = node.get(name);
            if (value == null) throw new IllegalArgumentException(what + " has no '" + name + "'");
            return value;
        }

        String text(String name) {
            return asText(name, need(name));
        }

        @Nullable
        String optionalText(String name) {
            return node.has(name) ? text(name) : null;
        }

        int integer(String name) {
            return asInteger(name, need(name));
        }

        long integral(String name) {
            JsonNode value = need(name);
            if (!value.isIntegralNumber() || !value.canConvertToLong()) throw wrong(name, "a whole number");
            return value.longValue();
        }

        double number(String name) {
            return asNumber(name, need(name));
        }

        boolean flag(String name) {
            JsonNode value = need(name);
            if (!value.isBoolean()) throw wrong(name, "true or false");
            return value.booleanValue();
        }

        <T> Map<String, T> map(String name, FieldReader<T> reader) {
            JsonNode value = need(name);
            if (!value.isObject()) throw wrong(name, "an object");
            Map<String, T> entries = new TreeMap<>();
            value.properties()
                    .forEach(e -> entries.put(e.getKey(), reader.read(name + "." + e.getKey(), e.getValue())));
            return entries;
        }

        <T> List<T> list(String name, Function<Fields, T> reader) {
            JsonNode value = need(name);
            if (!value.isArray()) throw wrong(name, "a list");
            List<T> entries = new ArrayList<>();
            for (JsonNode entry : value)
                entries.add(reader.apply(new Fields(name + "[" + entries.size() + "]", entry)));
            return entries;
        }

        static String asText(String name, JsonNode value) {
            if (!value.isString()) throw wrong(name, "text");
            return value.stringValue();
        }

        static int asInteger(String name, JsonNode value) {
            if (!value.isIntegralNumber() || !value.canConvertToInt()) throw wrong(name, "a whole number");
            return value.intValue();
        }

        static double asNumber(String name, JsonNode value) {
            if (!value.isNumber()) throw wrong(name, "a number");
            return value.doubleValue();
        }

        private static IllegalArgumentException wrong(String name, String needed) {
            return new IllegalArgumentException("the manifest's '" + Shown.text(name) + "' is not " + needed);
        }
    }

    private interface FieldReader<T> {
        T read(String name, JsonNode value);
    }
}
