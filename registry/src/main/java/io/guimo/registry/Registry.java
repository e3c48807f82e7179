package io.guimo.registry;

import io.guimo.postgres.Database;
import io.guimo.units.OrganizationId;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The index of models in PostgreSQL: names, versions, runs, and which version serves since when and why. Thread-safe; several servers may share one
 * database.
 */
public final class Registry {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:-]{0,127}");
    private static final String VERSION_COLUMNS =
            "v.owner, v.model, v.version, v.package_digest, v.manifest, v.registered_at, m.promoted_version = v.version as promoted"
                    + " from model_versions v join models m on m.owner = v.owner and m.name = v.model ";

    private final Database database;
    private final InstantSource clock;
    private final List<PromotionListener> listeners = new CopyOnWriteArrayList<>();

    private Registry(Database database, InstantSource clock) {
        this.database = database;
        this.clock = clock;
    }

    /** Brings the tables up to date, then opens the index over them. */
    public static Registry open(Database database, InstantSource clock) {
        database.migrate("registry", "io/guimo/registry/migrations");
        return new Registry(database, clock);
    }

    /** Told after a promotion of this process was committed; promotions by other servers are seen by asking {@link #serving()}. */
    @FunctionalInterface
    public interface PromotionListener {
        void promoted(ModelVersion version);
    }

    public void onPromotion(PromotionListener listener) {
        listeners.add(listener);
    }

    /**
     * Gives a package the next version of a model. The same package again gives the version that it has.
     *
     * @param content a package that was verified
     * @throws IllegalArgumentException if the name is not permitted, or belongs to a model of another task
     */
    public ModelVersion register(ModelOwner owner, String model, ModelPackage content) {
        requireName(model);
        return database.transaction(connection -> {
            Manifest manifest = content.manifest();
            lockModel(connection, owner, model, manifest.task());
            Optional<ModelVersion> known = one(
                    connection,
                    "where v.owner = ? and v.model = ? and v.package_digest = ?",
                    ownerColumn(owner),
                    model,
                    content.digest());
            if (known.isPresent()) return known.get();
            try (PreparedStatement insert = connection.prepareStatement(
                    "insert into model_versions (owner, model, version, package_digest, manifest, run_id, registered_at)"
                            + " select ?, ?, coalesce(max(version), 0) + 1, ?, ?::jsonb, ?, ? from model_versions where owner = ? and model = ?")) {
                insert.setString(1, ownerColumn(owner));
                insert.setString(2, model);
                insert.setString(3, content.digest());
                insert.setString(4, new String(ManifestFormat.write(manifest), StandardCharsets.UTF_8));
                insert.setString(5, manifest.provenance().runId());
                insert.setObject(6, timestamp(clock.instant()));
                insert.setString(7, ownerColumn(owner));
                insert.setString(8, model);
                insert.executeUpdate();
            }
            return one(
                            connection,
                            "where v.owner = ? and v.model = ? and v.package_digest = ?",
                            ownerColumn(owner),
                            model,
                            content.digest())
                    .orElseThrow();
        });
    }

    private static void requireName(String model) {
        if (!NAME.matcher(model).matches()) {
            throw new IllegalArgumentException("model name '" + Shown.text(model)
                    + "' is not permitted: 1 to 128 of A-Z a-z 0-9 . _ : -, the first a letter or digit");
        }
    }

    /** Makes the model if it is new, and holds its row, so that versions are numbered without gaps. */
    private void lockModel(Connection connection, ModelOwner owner, String model, String task) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into models (owner, name, task, created_at) values (?, ?, ?, ?) on conflict do nothing")) {
            insert.setString(1, ownerColumn(owner));
            insert.setString(2, model);
            insert.setString(3, task);
            insert.setObject(4, timestamp(clock.instant()));
            insert.executeUpdate();
        }
        try (PreparedStatement lock =
                connection.prepareStatement("select task from models where owner = ? and name = ? for update")) {
            lock.setString(1, ownerColumn(owner));
            lock.setString(2, model);
            try (ResultSet row = lock.executeQuery()) {
                row.next();
                String known = row.getString(1);
                if (!known.equals(task)) {
                    throw new IllegalArgumentException("the package has the task " + Shown.text(task) + ", but model "
                            + model + " is registered with the task " + known + "; give the new model another name");
                }
            }
        }
    }

    /**
     * Lets a version serve, if its gate passed or somebody takes it upon themselves, and writes down which.
     *
     * @return what came of it; a version that serves already is left so, and nothing is recorded
     */
    public PromotionResult promote(ModelOwner owner, String model, int version, PromotionGround ground) {
        if (ground instanceof PromotionGround.Gated gated && !gated.result().passed()) {
            return new PromotionResult.GateFailed(gated.result());
        }
        PromotionResult result = database.transaction(connection -> promote(connection, owner, model, version, ground));
        if (result instanceof PromotionResult.Promoted promoted && promoted.changed()) {
            for (PromotionListener listener : listeners) listener.promoted(promoted.version());
        }
        return result;
    }

    private PromotionResult promote(
            Connection connection, ModelOwner owner, String model, int version, PromotionGround ground)
            throws SQLException {
        @Nullable Integer previous;
        try (PreparedStatement lock = connection.prepareStatement(
                "select promoted_version from models where owner = ? and name = ? for update")) {
            lock.setString(1, ownerColumn(owner));
            lock.setString(2, model);
            try (ResultSet row = lock.executeQuery()) {
                if (!row.next()) return unknown(model, version);
                previous = row.getObject(1, Integer.class);
            }
        }
        Optional<ModelVersion> found = find(connection, owner, model, version);
        if (found.isEmpty()) return unknown(model, version);
        if (previous != null && previous == version) return new PromotionResult.Promoted(found.get(), false);
        try (PreparedStatement update =
                connection.prepareStatement("update models set promoted_version = ? where owner = ? and name = ?")) {
            update.setInt(1, version);
            update.setString(2, ownerColumn(owner));
            update.setString(3, model);
            update.executeUpdate();
        }
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into promotions (owner, model, version, previous_version, gate, forced_by, forced_why, promoted_at)"
                        + " values (?, ?, ?, ?, ?::jsonb, ?, ?, ?)")) {
            insert.setString(1, ownerColumn(owner));
            insert.setString(2, model);
            insert.setInt(3, version);
            insert.setObject(4, previous, Types.INTEGER);
            switch (ground) {
                case PromotionGround.Gated(GateResult gate) -> {
                    insert.setString(5, ManifestFormat.write(gate).toString());
                    insert.setNull(6, Types.VARCHAR);
                    insert.setNull(7, Types.VARCHAR);
                }
                case PromotionGround.Forced(String by, String why) -> {
                    insert.setNull(5, Types.VARCHAR);
                    insert.setString(6, by);
                    insert.setString(7, why);
                }
            }
            insert.setObject(8, timestamp(clock.instant()));
            insert.executeUpdate();
        }
        return new PromotionResult.Promoted(
                find(connection, owner, model, version).orElseThrow(), true);
    }

    private static PromotionResult unknown(String model, int version) {
        return new PromotionResult.UnknownVersion("there is no version " + version + " of model " + Shown.text(model));
    }

    /** Every model, for the owner of the installation. */
    public List<RegisteredModel> models() {
        return models("", List.of());
    }

    /** The models that a caller of this organisation may learn of: the operator's and its own. */
    public List<RegisteredModel> models(OrganizationId viewer) {
        return models("where m.owner in ('', ?)", List.of(viewer.value()));
    }

    private List<RegisteredModel> models(String where, List<String> parameters) {
        return database.transaction(connection -> {
            try (PreparedStatement select =
                    connection.prepareStatement("select m.owner, m.name, m.task, m.promoted_version, m.created_at,"
                            + " (select coalesce(max(version), 0) from model_versions v where v.owner = m.owner and v.model = m.name) as latest"
                            + " from models m " + where + " order by m.name, m.owner")) {
                for (int i = 0; i < parameters.size(); i++) select.setString(i + 1, parameters.get(i));
                List<RegisteredModel> models = new ArrayList<>();
                try (ResultSet row = select.executeQuery()) {
                    while (row.next()) {
                        models.add(new RegisteredModel(
                                owner(text(row, "owner")),
                                text(row, "name"),
                                text(row, "task"),
                                row.getObject("promoted_version", Integer.class),
                                row.getInt("latest"),
                                instant(row, "created_at")));
                    }
                }
                return models;
            }
        });
    }

    /** The versions that serve, of all models: what a host loads. */
    public List<ModelVersion> serving() {
        return database.transaction(
                connection -> all(connection, "where m.promoted_version = v.version order by v.owner, v.model"));
    }

    /** The version that serves. */
    public Optional<ModelVersion> promoted(ModelOwner owner, String model) {
        return database.transaction(connection -> one(
                connection,
                "where m.promoted_version = v.version and v.owner = ? and v.model = ?",
                ownerColumn(owner),
                model));
    }

    /** The newest first. */
    public List<ModelVersion> versions(ModelOwner owner, String model) {
        return database.transaction(connection -> all(
                connection, "where v.owner = ? and v.model = ? order by v.version desc", ownerColumn(owner), model));
    }

    public Optional<ModelVersion> find(ModelOwner owner, String model, int version) {
        return database.transaction(connection -> find(connection, owner, model, version));
    }

    private static Optional<ModelVersion> find(Connection connection, ModelOwner owner, String model, int version)
            throws SQLException {
        return one(
                connection, "where v.owner = ? and v.model = ? and v.version = ?", ownerColumn(owner), model, version);
    }

    /** Versions made by a run: one, or none while the run is not packaged. */
    public List<ModelVersion> madeBy(String runId) {
        return database.transaction(connection -> all(connection, "where v.run_id = ? order by v.version", runId));
    }

    /** Versions made from data with this fingerprint, in any of the data sets they name: what to retrain when a row must be forgotten. */
    public List<ModelVersion> madeFromData(String fingerprint) {
        return database.transaction(connection -> all(
                connection,
                "where exists (select from jsonb_each_text(v.manifest -> 'dataFingerprints') f where f.value = ?)"
                        + " order by v.owner, v.model, v.version",
                fingerprint));
    }

    /** Versions adapted from the package (or the file from outside) with this digest. */
    public List<ModelVersion> adaptedFrom(String digest) {
        return database.transaction(connection -> all(
                connection, "where v.manifest ->> 'baseModelDigest' = ? order by v.owner, v.model, v.version", digest));
    }

    /** Where a version came from and when it served. */
    public Optional<Lineage> lineage(ModelOwner owner, String model, int version) {
        return database.transaction(connection -> {
            Optional<ModelVersion> found = find(connection, owner, model, version);
            if (found.isEmpty()) return Optional.empty();
            Provenance made = found.get().manifest().provenance();
            String runId = made.runId();
            String base = made.baseModelDigest();
            return Optional.of(new Lineage(
                    found.get(),
                    runId == null ? null : RunRows.find(connection, runId).orElse(null),
                    base == null
                            ? List.of()
                            : all(connection, "where v.package_digest = ? order by v.owner, v.model, v.version", base),
                    promotions(connection, owner, model).stream()
                            .filter(p -> p.version() == version)
                            .toList()));
        });
    }

    /** The history of what served, the first first. */
    public List<Promotion> promotions(ModelOwner owner, String model) {
        return database.transaction(connection -> promotions(connection, owner, model));
    }

    private static List<Promotion> promotions(Connection connection, ModelOwner owner, String model)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select version, previous_version, gate, forced_by, forced_why, promoted_at from promotions"
                        + " where owner = ? and model = ? order by id")) {
            select.setString(1, ownerColumn(owner));
            select.setString(2, model);
            List<Promotion> promotions = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    promotions.add(new Promotion(
                            owner,
                            model,
                            row.getInt("version"),
                            row.getObject("previous_version", Integer.class),
                            ground(row),
                            instant(row, "promoted_at")));
                }
            }
            return promotions;
        }
    }

    private static PromotionGround ground(ResultSet row) throws SQLException {
        @Nullable String gate = row.getString("gate");
        return gate == null
                ? new PromotionGround.Forced(text(row, "forced_by"), text(row, "forced_why"))
                : new PromotionGround.Gated(ManifestFormat.readGate(gate));
    }

    /** Keeps a finished run; the same run again changes nothing. */
    public void record(RunRecord run) {
        requireName(run.model());
        database.perform(connection -> RunRows.insert(connection, run));
    }

    public Optional<RunRecord> run(String runId) {
        return database.transaction(connection -> RunRows.find(connection, runId));
    }

    /** The runs of a model, the newest first. */
    public List<RunRecord> runs(ModelOwner owner, String model) {
        return database.transaction(connection -> RunRows.ofModel(connection, owner, model));
    }

    private static Optional<ModelVersion> one(Connection connection, String where, Object... parameters)
            throws SQLException {
        return all(connection, where, parameters).stream().findFirst();
    }

    private static List<ModelVersion> all(Connection connection, String where, Object... parameters)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("select " + VERSION_COLUMNS + where)) {
            for (int i = 0; i < parameters.length; i++) select.setObject(i + 1, parameters[i]);
            List<ModelVersion> versions = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    versions.add(new ModelVersion(
                            owner(text(row, "owner")),
                            text(row, "model"),
                            row.getInt("version"),
                            text(row, "package_digest"),
                            ManifestFormat.read(text(row, "manifest").getBytes(StandardCharsets.UTF_8)),
                            instant(row, "registered_at"),
                            row.getBoolean("promoted")));
                }
            }
            return versions;
        }
    }

    static String ownerColumn(ModelOwner owner) {
        return switch (owner) {
            case ModelOwner.Operator() -> "";
            case ModelOwner.Organization(OrganizationId id) -> id.value();
        };
    }

    static ModelOwner owner(String column) {
        return column.isEmpty() ? ModelOwner.operator() : new ModelOwner.Organization(new OrganizationId(column));
    }

    static String text(ResultSet row, String column) throws SQLException {
        return Objects.requireNonNull(row.getString(column), column);
    }

    static OffsetDateTime timestamp(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }

    static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
