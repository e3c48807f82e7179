package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class PrefixesTest {
    private static final int CONVERSATIONS = 20_000;

    @Test
    void rank_manyConversations_sharesByWeight() {
        long[] seeds = {
            Prefixes.hash(bytes("http://a/v1 m")),
            Prefixes.hash(bytes("http://b/v1 m")),
            Prefixes.hash(bytes("http://c/v1 m"))
        };
        int[] weights = {1, 2, 5};
        int[] chosen = new int[3];
        for (int i = 0; i < CONVERSATIONS; i++) chosen[preferred(i, seeds, weights)]++;
        // Three standard deviations of a share of 5/8 are .0103.
        for (int u = 0; u < 3; u++)
            assertThat((double) chosen[u] / CONVERSATIONS).isCloseTo(weights[u] / 8.0, within(.0103));
    }

    @Test
    void rank_upstreamComes_onlyItsShareMoves() {
        long[] two = {11, 12};
        long[] three = {11, 12, 13};
        int moved = 0;
        for (int i = 0; i < CONVERSATIONS; i++) {
            int before = preferred(i, two, new int[] {1, 1});
            int after = preferred(i, three, new int[] {1, 1, 1});
            if (after == before) continue;
            assertThat(after).isEqualTo(2);
            moved++;
        }
        assertThat((double) moved / CONVERSATIONS).isCloseTo(1 / 3.0, within(.0103));
    }

    @Test
    void hash_everyByteAndTheLength_count() {
        byte[] text = bytes("[{\"role\":\"user\",\"content\":\"价格\"}]xyz");
        long hash = Prefixes.hash(text);
        for (int i = 0; i < text.length; i++) {
            byte[] other = text.clone();
            other[i] ^= 1;
            assertThat(Prefixes.hash(other)).isNotEqualTo(hash);
            assertThat(Prefixes.hash(text, 0, i)).isNotEqualTo(hash);
        }
        assertThat(Prefixes.hash(bytes("..." + new String(text, StandardCharsets.UTF_8)), 3, 3 + text.length))
                .isEqualTo(hash);
        assertThat(Prefixes.hash(new byte[8])).isNotEqualTo(Prefixes.hash(new byte[16]));
    }

    @Test
    void read_laterTurnsOfAConversation_samePrefix() {
        String first =
                "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be kind.\"},{\"content\":\"Hi\",\"role\":\"user\"}";
        long prefix = prefix(first + "]}");
        assertThat(
                        prefix(
                                first
                                        + ",{\"role\":\"assistant\",\"content\":\"Hello\"},{\"role\":\"user\",\"content\":\"More\"}],\"seed\":1}"))
                .isEqualTo(prefix);
        assertThat(prefix(first.replace("Hi", "Ho") + "]}")).isNotEqualTo(prefix);
        assertThat(prefix(first.replace("kind", "cool") + "]}")).isNotEqualTo(prefix);
        assertThat(prefix("{\"messages\":[]}")).isNotZero();
        assertThat(prefix("{\"messages\":\"none\"}")).isZero();
    }

    private static long prefix(String body) {
        return ChatBody.read(bytes(body), 1, false, true).prefix();
    }

    private static int preferred(int conversation, long[] seeds, int[] weights) {
        long prefix = Prefixes.hash(bytes("conversation " + conversation));
        int best = 0;
        for (int u = 1; u < seeds.length; u++) {
            if (Prefixes.rank(prefix, seeds[u], weights[u]) > Prefixes.rank(prefix, seeds[best], weights[best]))
                best = u;
        }
        return best;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
