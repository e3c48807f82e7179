package io.guimo.launch;

import io.guimo.data.Catalogue;
import io.guimo.data.CatalogueEntry;
import io.guimo.data.CatalogueEntry.Content;
import io.guimo.data.Fingerprint;
import io.guimo.data.Place;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * The models that this home has pulled beyond the standard catalogue: an entry each, with fingerprint, licence and origin, in {@code catalogue/NAME.json}.
 * A business file names them as it names the standard ones.
 */
final class PulledModels {
    private static final int VERSION = 1;

    private final Path folder;

    PulledModels(Home home) {
        this.folder = home.folder().resolve("catalogue");
    }

    /** The standard catalogue and what was pulled. */
    Catalogue catalogue() throws IOException {
        return Catalogue.standard().with(entries());
    }

    /** A language model in one GGUF file. */
    static CatalogueEntry entry(
            String name, String title, String licence, long bytes, Fingerprint sha256, Place place) {
        return new CatalogueEntry(
                name,
                title,
                Content.LANGUAGE_MODEL,
                licence,
                List.of(new CatalogueEntry.File("model.gguf", bytes, sha256)),
                List.of(place));
    }

    void add(CatalogueEntry entry) throws IOException {
        CatalogueEntry.File model = entry.files().getFirst();
        Map<String, Object> stored = new LinkedHashMap<>();
        stored.put("version", VERSION);
        stored.put("name", entry.name());
        stored.put("title", entry.title());
        stored.put("licence", entry.licence());
        stored.put("bytes", model.bytes());
        stored.put("sha256", model.fingerprint().sha256());
        switch (entry.places().getFirst()) {
            case Place.PublicAddress address ->
                stored.put("address", String.valueOf(address.files().get(model.name())));
            case Place.LocalFiles local ->
                stored.put("file", String.valueOf(local.paths().get(model.name())));
            case Place place -> throw new IllegalArgumentException("a model is not pulled from " + place.describe());
        }
        Home.writeAtomically(
                folder.resolve(entry.name() + ".json"),
                OwnerClient.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(stored),
                "rw-r--r--");
    }

    private List<CatalogueEntry> entries() throws IOException {
        if (!Files.isDirectory(folder)) return List.of();
        List<CatalogueEntry> entries = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) entries.add(read(file));
        }
        return entries;
    }

    private static CatalogueEntry read(Path file) throws IOException {
        try {
            JsonNode stored = OwnerClient.JSON.readTree(Files.readString(file));
            if (stored.path("version").asInt(0) != VERSION)
                throw new IllegalArgumentException("it is of another version");
            Place place = stored.has("file")
                    ? new Place.LocalFiles(
                            Map.of("model.gguf", Path.of(stored.path("file").asString())))
                    : new Place.PublicAddress(Map.of(
                            "model.gguf", URI.create(stored.path("address").asString())));
            return entry(
                    stored.path("name").asString(),
                    stored.path("title").asString(),
                    stored.path("licence").asString(),
                    stored.path("bytes").asLong(),
                    new Fingerprint(stored.path("sha256").asString()),
                    place);
        } catch (JacksonException | IllegalArgumentException e) {
            throw new CommandFailure(
                    file + " does not describe a pulled model (" + e.getMessage()
                            + "); delete it and pull the model again",
                    e);
        }
    }
}
