package io.guimo.registry;

import io.guimo.registry.PackageFile.Format;
import io.guimo.registry.PackageFile.Role;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** A small package with every kind of field, for tests. */
final class PackageFixture {
    static final Instant CREATED_AT = Instant.parse("2026-11-02T03:04:05.678Z");
    static final String DATA_DIGEST = "d".repeat(64);
    static final GateResult GATE = new GateResult(List.of(
            new GateResult.Check("accuracy >= 0.9", 0.925, 0.9, true),
            new GateResult.Check("beats logistic regression by accuracy: lower bound of the lead > 0", 0.06, 0, true)));

    private PackageFixture() {}

    static Provenance provenance(String runId) {
        return new Provenance(
                "classify-images",
                "{\"kind\":\"resnet\",\"width\":16}",
                Map.of("images", 1),
                null,
                Map.of("accuracy", 0.925, "macroF1", 0.924),
                List.of(new Comparison("logistic regression", "accuracy", 0.925, 0.84, 0.06)),
                GATE,
                Map.of("fashion-mnist", DATA_DIGEST),
                runId,
                "0.1.0");
    }

    static PackageWriter files(PackageStore store, byte[] weights) throws IOException {
        return store.writer()
                .add(Role.WEIGHTS, Format.SAFETENSORS, "model.safetensors", weights)
                .add(
                        Role.STEPS,
                        Format.JSON,
                        "steps.json",
                        "{\"labels\":[\"coat\",\"shirt\"]}".getBytes(StandardCharsets.UTF_8))
                .add(Role.NOTICE, Format.TEXT, "NOTICE.txt", "MIT licence\n".getBytes(StandardCharsets.UTF_8));
    }
}
