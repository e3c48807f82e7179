package io.guimo.launch;

import io.guimo.data.CatalogueEntry;
import io.guimo.data.Fingerprint;
import io.guimo.data.Place;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** What the Hugging Face Hub says of a repository: its licence, its files, their sizes and SHA-256. */
final class HuggingFaceHub {
    private static final Pattern REPOSITORY = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*");
    /** The usual compromise between size and quality; taken where a repository offers several. */
    private static final String USUAL = "Q4_K_M";

    private final URI base;

    /** @param base the hub's address, or a mirror's */
    HuggingFaceHub(URI base) {
        this.base = base;
    }

    /**
     * The model in a repository's GGUF file, at the commit that the repository has now.
     *
     * @param repository {@code ORG/REPO}
     * @param file name of the file; null where there is one, or one in {@value #USUAL}
     * @throws CommandFailure if there is no such repository, or nothing in it that could be served
     */
    CatalogueEntry entry(String name, String repository, @Nullable String file)
            throws IOException, InterruptedException {
        if (!REPOSITORY.matcher(repository).matches()) {
            throw new CommandFailure("'" + repository + "' is no repository of the form ORG/REPO");
        }
        JsonNode model = describe(repository);
        if (model.path("gated").asBoolean(false) || model.path("gated").isString()) {
            throw new CommandFailure(repository
                    + " is given only to those who accepted its terms in a browser. Download the file there and name it:"
                    + " ./guimo models pull FILE");
        }
        JsonNode chosen = choose(repository, model.path("siblings"), file);
        String path = chosen.path("rfilename").asString();
        String sha256 = chosen.path("lfs").path("sha256").asString("");
        if (sha256.isEmpty()) {
            throw new CommandFailure(
                    repository + " tells no SHA-256 of " + path + ", so what arrives could not be checked");
        }
        return PulledModels.entry(
                name,
                path + " of " + repository + " at " + model.path("sha").asString(),
                licence(model),
                chosen.path("lfs").path("size").asLong(),
                new Fingerprint(sha256),
                new Place.PublicAddress(Map.of(
                        "model.gguf",
                        base.resolve("/" + repository + "/resolve/"
                                + model.path("sha").asString() + "/" + path))));
    }

    private JsonNode describe(String repository) throws IOException, InterruptedException {
        try (HttpClient http = HttpClient.newBuilder()
                .connectTimeout(Duration.ofSeconds(15))
                .followRedirects(HttpClient.Redirect.NORMAL)
                .build()) {
            HttpResponse<String> answer = http.send(
                    HttpRequest.newBuilder(base.resolve("/api/models/" + repository + "?blobs=true"))
                            .timeout(Duration.ofSeconds(30))
                            .build(),
                    HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
            if (answer.statusCode() == 401 || answer.statusCode() == 404) {
                throw new CommandFailure(base.getHost() + " has no public repository " + repository);
            }
            if (answer.statusCode() != 200) {
                throw new CommandFailure(base.getHost() + " answered " + answer.statusCode() + " for " + repository
                        + "; try again later");
            }
            return OwnerClient.JSON.readTree(answer.body());
        } catch (JacksonException e) {
            throw new CommandFailure(base.getHost() + " did not describe " + repository + " in JSON", e);
        } catch (IOException e) {
            throw new CommandFailure(
                    base.getHost() + " cannot be reached (" + e
                            + "). Where there is no network, bring the file and name it: ./guimo models pull FILE",
                    e);
        }
    }

    private static JsonNode choose(String repository, JsonNode siblings, @Nullable String file) {
        List<JsonNode> offered = new ArrayList<>();
        for (JsonNode sibling : siblings) {
            String name = sibling.path("rfilename").asString();
            // mmproj files are the eyes of a model that sees, numbered ones are parts
            if (name.endsWith(".gguf") && !name.contains("mmproj") && !name.matches(".*-\\d{5}-of-\\d{5}\\.gguf")) {
                offered.add(sibling);
            }
        }
        List<String> names =
                offered.stream().map(s -> s.path("rfilename").asString()).toList();
        if (offered.isEmpty()) {
            throw new CommandFailure(repository
                    + " has no GGUF file in one part; look for a repository of the same model that ends in -GGUF");
        }
        List<JsonNode> fitting = offered.stream()
                .filter(s -> {
                    String name = s.path("rfilename").asString();
                    return file != null
                            ? name.equals(file)
                            : name.toUpperCase(Locale.ROOT).contains(USUAL);
                })
                .toList();
        if (file == null && offered.size() == 1) return offered.getFirst();
        if (fitting.size() == 1) return fitting.getFirst();
        throw new CommandFailure(
                (file == null ? repository + " offers several files" : repository + " has no file " + file)
                        + "; choose one by --file: " + String.join(", ", names));
    }

    private static String licence(JsonNode model) {
        String stated = model.path("cardData").path("license").asString("");
        if (!stated.isEmpty() && !stated.equals("other")) return stated;
        return StreamSupport.stream(model.path("tags").spliterator(), false)
                .map(JsonNode::asString)
                .filter(tag -> tag.startsWith("license:") && !tag.equals("license:other"))
                .map(tag -> tag.substring("license:".length()))
                .findFirst()
                .orElse(model.path("cardData")
                        .path("license_name")
                        .asString("not stated: read it at " + model.path("id").asString()));
    }
}
