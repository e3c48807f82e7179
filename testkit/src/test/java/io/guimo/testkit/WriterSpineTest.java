package io.guimo.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A language model that is trained from nothing by the whole program, judged, signed, served, and sold by the token. */
class WriterSpineTest {
    private static final Path FOLDER = Path.of("target/writer-spine-test").toAbsolutePath();

    @Test
    void up_ownTexts_trainedServedAndOnTheInvoice() throws Exception {
        Scratch.deleteTree(FOLDER);
        try (GuimoProcess up = GuimoProcess.up(FOLDER, business(), "--once")) {
            assertThat(up.exitCode(GuimoProcess.PATIENCE_SECONDS))
                    .as(up.output())
                    .isZero();
        }
        JsonNode done = JsonMapper.shared().readTree(Files.readString(FOLDER.resolve("report.json")));
        JsonNode model = done.path("models").get(0);
        // Ten names, ten verbs, ten things: far under the 2.9 nats of letters drawn by their frequency.
        assertThat(model.path("metrics").path("natsPerCharacter").asDouble()).isBetween(.1, 2.);
        assertThat(model.path("baseline")
                        .path("metrics")
                        .path("natsPerCharacter")
                        .asDouble())
                .isPositive();
        assertThat(model.path("trainSeconds").asDouble()).isPositive();
        List<JsonNode> usage =
                StreamSupport.stream(done.path("usage").spliterator(), false).toList();
        assertThat(usage).extracting(row -> row.path("meter").asString()).contains("input_tokens", "output_tokens");
        assertThat(done.path("invoice").path("status").asString()).isEqualTo("final");
        assertThat(done.path("ledger").path("sumByCurrency").path("CNY").asString())
                .isEqualTo("0");
        assertThat(done.path("ledger").path("reservationsOpen").asLong()).isZero();
    }

    private static Path business() throws Exception {
        Path texts = Files.createDirectories(FOLDER.resolve("texts"));
        SplittableRandom random = new SplittableRandom(20261125);
        List<String> names = List.of("Ada", "Ben", "Cleo", "Dai", "Eva", "Finn", "Gao", "Hua", "Ivo", "Jin");
        List<String> verbs =
                List.of("sees", "finds", "buys", "sells", "paints", "hides", "wants", "lends", "breaks", "mends");
        List<String> things = List.of(
                "a boat",
                "a lamp",
                "the book",
                "the drum",
                "a kite",
                "one shoe",
                "the map",
                "a pear",
                "a rope",
                "the bell");
        for (int document = 0; document < 4; document++) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 250; i++) {
                text.append(names.get(random.nextInt(10)))
                        .append(' ')
                        .append(verbs.get(random.nextInt(10)))
                        .append(' ')
                        .append(things.get(random.nextInt(10)))
                        .append(".\n");
            }
            Files.writeString(texts.resolve(document + ".txt"), text);
        }
        Path file = FOLDER.resolve("writer.yaml");
        Files.writeString(file, """
                business: Sentences 句子
                currency: CNY
                data:
                  sentences: {files: "texts/*.txt"}
                models:
                  writer:
                    task: generate-text
                    data: sentences
                    architecture: {kind: llama, layers: 1, width: 48, heads: 2, context: 32, vocabulary: 320}
                    train: {epochs: 6, batch: 8, learningRate: 5e-3, seed: 1}
                plans:
                  - {name: payg, prices: {writer: {per: 1M tokens, input: 1, cachedInput: 0.2, output: 4}}}
                costs: {machine: {perHour: 1.20}}
                demonstration: {customer: Reader, plan: payg, credit: 5, requests: 6}
                """);
        return file;
    }
}
