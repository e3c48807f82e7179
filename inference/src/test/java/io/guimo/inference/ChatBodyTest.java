package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

final class ChatBodyTest {
    private static final JsonMapper JSON = JsonMapper.shared();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"max_tokens\":5} | {\"max_tokens\":5}",
                "{\"max_completion_tokens\": 5 } | {\"max_completion_tokens\": 5 }",
                "{} | {\"max_tokens\":77}",
                "{ \"a\":1} | {\"max_tokens\":77, \"a\":1}",
                "{\"max_tokens\":null,\"a\":1} | {\"max_tokens\":77,\"a\":1}",
                "{\"max_tokens\":null,\"max_completion_tokens\":3} | {\"max_tokens\":null,\"max_completion_tokens\":3}",
                "{\"model\":\"chat\",\"max_tokens\":5} | {\"model\":\"up\\\"1\",\"max_tokens\":5}",
                "{\"messages\":[{\"model\":\"x\"}],\"model\" : \"价格\" ,\"max_tokens\":5} | {\"messages\":[{\"model\":\"x\"}],\"model\" : \"up\\\"1\" ,\"max_tokens\":5}",
            })
    void forward_whole_editsOnlyModelAndLimit(String request, String expected) {
        assertThat(forward(request, "up\"1", false)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"max_tokens\":5} | {\"stream_options\":{\"include_usage\":true},\"max_tokens\":5}",
                "{\"stream_options\":null,\"max_tokens\":5} | {\"stream_options\":{\"include_usage\":true},\"max_tokens\":5}",
                "{\"max_tokens\":5,\"stream_options\":{\"include_usage\":false,\"x\":[1]}} | {\"max_tokens\":5,\"stream_options\":{\"include_usage\":true}}",
            })
    void forward_stream_asksForUsage(String request, String expected) {
        assertThat(forward(request, null, true)).isEqualTo(expected);
    }

    @Test
    void forward_clientAskedForUsage_known() {
        assertThat(wantsUsage("{\"stream_options\":{\"x\":{\"include_usage\":false},\"include_usage\":true}}"))
                .isTrue();
        assertThat(wantsUsage("{\"stream_options\":{\"include_usage\":false}}")).isFalse();
    }

    private static boolean wantsUsage(String body) {
        return ChatBody.read(bytes(body), 1, true, false).wantsUsage();
    }

    @Test
    void forward_nothingToEdit_sameBytes() {
        byte[] body = bytes("{\"max_tokens\":5}");

        assertThat(forward(body, "m", false)).isSameAs(body);
    }

    /** The slow reference: parse, change the tree, compare trees. */
    @Test
    void forward_randomBodies_sameAsEditedTree() {
        SplittableRandom random = new SplittableRandom(29);
        for (int round = 0; round < 2000; round++) {
            ObjectNode tree = randomObject(random, 3);
            if (random.nextBoolean()) tree.put("model", text(random));
            if (random.nextBoolean()) tree.put("max_tokens", random.nextInt(100));
            if (random.nextInt(3) == 0) tree.set("stream_options", randomObject(random, 2));
            byte[] body = random.nextBoolean()
                    ? JSON.writeValueAsBytes(tree)
                    : JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(tree);
            boolean stream = random.nextBoolean();

            JsonNode forwarded = JSON.readTree(forward(body, "上游-model", stream));

            if (tree.has("model")) tree.put("model", "上游-model");
            if (!tree.has("max_tokens")) tree.put("max_tokens", 77);
            if (stream) tree.putObject("stream_options").put("include_usage", true);
            assertThat(forwarded).as("seed 29, round %d", round).isEqualTo(JSON.readTree(tree.toString()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{", "null", "{\"a\":}", "{\"a\":1", "{\"model\":\"x", "\u0000"})
    void forward_notAnObject_refused(String body) {
        assertThatThrownBy(() -> forward(body, "m", true)).isInstanceOf(InvalidInput.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":4,\"total_tokens\":14}} | 10 | 0 | 4 | true",
                "{\"choices\":[{\"usage\":{\"prompt_tokens\":99}}],\"usage\":{\"completion_tokens\":4,\"prompt_tokens_details\":{\"audio\":1,\"cached_tokens\":6},\"prompt_tokens\":10}} | 4 | 6 | 4 | true",
                "{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":6}}} | 1 | 0 | 2 | true",
                "{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":-6}}} | 1 | 0 | 2 | true",
                "{\"usage\":{\"prompt_tokens\":1}} | 0 | 0 | 0 | false",
                "{\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":2}} | 0 | 0 | 0 | false",
                "{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":\"many\"}} | 0 | 0 | 0 | false",
                "{\"usage\":null} | 0 | 0 | 0 | false",
                "{} | 0 | 0 | 0 | false",
                "{\"usage\":{\"prompt_tokens\":99999999999999999999}} | 0 | 0 | 0 | false",
                "{\"usage\":{ | 0 | 0 | 0 | false",
                "[] | 0 | 0 | 0 | false",
            })
    void usage_asReported_read(String answer, long input, long cached, long output, boolean reported) {
        ChatScan scan = new ChatScan();
        byte[] json = bytes(answer);
        assertThat(scan.read(json, 0, json.length) ? scan.usage() : ChatUsage.NONE)
                .isEqualTo(new ChatUsage(input, cached, output, reported));
    }

    private static ObjectNode randomObject(SplittableRandom random, int depth) {
        ObjectNode node = JSON.createObjectNode();
        for (int i = random.nextInt(5); i > 0; i--) {
            String name = text(random);
            switch (random.nextInt(depth > 0 ? 6 : 4)) {
                case 0 -> node.put(name, text(random));
                case 1 -> node.put(name, random.nextLong());
                case 2 -> node.put(name, random.nextBoolean());
                case 3 -> node.putNull(name);
                case 4 -> node.set(name, randomObject(random, depth - 1));
                default ->
                    node.putArray(name).add(randomObject(random, depth - 1)).add(1.5);
            }
        }
        return node;
    }

    private static String text(SplittableRandom random) {
        int[] points = new int[random.nextInt(12)];
        for (int i = 0; i < points.length; i++) points[i] = "ab\"\\/{}[],: \n\t价格é😀".codePointAt(random.nextInt(16));
        return new String(points, 0, points.length) + random.nextInt(1000);
    }

    private static String forward(String body, @Nullable String model, boolean stream) {
        return new String(forward(bytes(body), model, stream), StandardCharsets.UTF_8);
    }

    private static byte[] forward(byte[] body, @Nullable String model, boolean stream) {
        ChatBody.Request request = ChatBody.read(body, 77, stream, false);
        return model == null ? request.limited() : request.as(ChatBody.quoted(model));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
