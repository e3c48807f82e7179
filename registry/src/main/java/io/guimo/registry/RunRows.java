package io.guimo.registry;

import io.guimo.registry.RunRecord.CurvePoint;
import io.guimo.units.Money;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Currency;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Runs as rows of the table {@code runs}. */
final class RunRows {
    private static final JsonMapper JSON = JsonMapper.shared();

    private RunRows() {}

    static void insert(Connection connection, RunRecord run) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into runs (id, owner, model, task, configuration,"
                        + " data_fingerprints, code_version, environment, curve, evaluation, seconds, cpu_seconds, peak_memory_bytes, cost, currency,"
                        + " started_at, finished_at)"
                        + " values (?, ?, ?, ?, ?::jsonb, ?::jsonb, ?, ?::jsonb, ?::jsonb, ?::jsonb, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing")) {
            insert.setString(1, run.id());
            insert.setString(2, Registry.ownerColumn(run.owner()));
            insert.setString(3, run.model());
            insert.setString(4, run.task());
            insert.setString(5, run.configuration());
            insert.setString(6, JSON.writeValueAsString(new TreeMap<>(run.dataFingerprints())));
            insert.setString(7, run.codeVersion());
            insert.setString(8, run.environment());
            insert.setString(9, write(run.curve()).toString());
            insert.setString(10, run.evaluation());
            insert.setDouble(11, run.seconds());
            insert.setDouble(12, run.cpuSeconds());
            insert.setLong(13, run.peakMemoryBytes());
            @Nullable Money cost = run.cost();
            insert.setBigDecimal(14, cost == null ? null : cost.amount());
            insert.setString(15, cost == null ? null : cost.currency().getCurrencyCode());
            insert.setObject(16, Registry.timestamp(run.startedAt()));
            insert.setObject(17, Registry.timestamp(run.finishedAt()));
            insert.executeUpdate();
        }
    }

    static Optional<RunRecord> find(Connection connection, String id) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("select * from runs where id = ?")) {
            select.setString(1, id);
            return read(select).stream().findFirst();
        }
    }

    static List<RunRecord> ofModel(Connection connection, ModelOwner owner, String model) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select * from runs where owner = ? and model = ? order by finished_at desc, id desc")) {
            select.setString(1, Registry.ownerColumn(owner));
            select.setString(2, model);
            return read(select);
        }
    }

    private static List<RunRecord> read(PreparedStatement select) throws SQLException {
        List<RunRecord> runs = new ArrayList<>();
        try (ResultSet row = select.executeQuery()) {
            while (row.next()) {
                runs.add(new RunRecord(
                        Registry.text(row, "id"),
                        Registry.owner(Registry.text(row, "owner")),
                        Registry.text(row, "model"),
                        Registry.text(row, "task"),
                        Registry.text(row, "configuration"),
                        readTexts(Registry.text(row, "data_fingerprints")),
                        Registry.text(row, "code_version"),
                        Registry.text(row, "environment"),
                        readCurve(Registry.text(row, "curve")),
                        Registry.text(row, "evaluation"),
                        row.getDouble("seconds"),
                        row.getDouble("cpu_seconds"),
                        row.getLong("peak_memory_bytes"),
                        cost(row.getBigDecimal("cost"), row.getString("currency")),
                        Registry.instant(row, "started_at"),
                        Registry.instant(row, "finished_at")));
            }
        }
        return runs;
    }

    private static @Nullable Money cost(@Nullable BigDecimal amount, @Nullable String currency) {
        return amount == null || currency == null ? null : new Money(Currency.getInstance(currency), amount);
    }

    /** A value that is no number, as a diverged loss, is null: JSON has no NaN. */
    private static ArrayNode write(List<CurvePoint> curve) {
        ArrayNode points = JSON.createArrayNode();
        for (CurvePoint point : curve) {
            ObjectNode values = points.addObject().put("epoch", point.epoch()).putObject("values");
            new TreeMap<>(point.values()).forEach((name, value) -> {
                if (Double.isFinite(value)) values.put(name, value);
                else values.putNull(name);
            });
        }
        return points;
    }

    private static List<CurvePoint> readCurve(String json) {
        List<CurvePoint> curve = new ArrayList<>();
        for (JsonNode point : JSON.readTree(json)) {
            Map<String, Double> values = new TreeMap<>();
            point.path("values")
                    .properties()
                    .forEach(e -> values.put(
                            e.getKey(),
                            e.getValue().isNull() ? Double.NaN : e.getValue().doubleValue()));
            curve.add(new CurvePoint(point.path("epoch").intValue(), values));
        }
        return curve;
    }

    private static Map<String, String> readTexts(String json) {
        Map<String, String> texts = new TreeMap<>();
        JSON.readTree(json)
                .properties()
                .forEach(e -> texts.put(e.getKey(), e.getValue().stringValue()));
        return texts;
    }
}
