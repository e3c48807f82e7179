package io.guimo.serve.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.commerce.Authorization;
import io.guimo.commerce.Reservation;
import io.guimo.commerce.UsageRequest;
import io.guimo.commerce.account.Caller;
import io.guimo.commerce.meter.UsageEvent;
import io.guimo.commerce.price.AbortPolicy;
import io.guimo.commerce.price.NewPrice;
import io.guimo.inference.generate.Sampling;
import io.guimo.serve.ScriptedGenerator.Script;
import io.guimo.serve.TestPlatform;
import io.guimo.serve.http.EventStream;
import io.guimo.serve.http.Json;
import io.guimo.serve.http.RefusedException;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.RequestId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a stream charges, wherever it is cut. A token of the model is a byte, so what was read can be counted in the text itself. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PaidStreamTest {
    /** Letters of one to four bytes, so that tokens are held back inside characters. */
    private static final String ANSWER = "Red 红楼梦 é 🍵 fin";

    private static final int TOKENS = ANSWER.getBytes(StandardCharsets.UTF_8).length;
    private static final int PROMPT = 7;
    private static final int CACHED = 3;
    private TestPlatform api;

    /** Of the last stream that was made. */
    private RequestId request = RequestId.next();

    @BeforeAll
    void start() {
        api = TestPlatform.start("paid_stream_test");
    }

    @AfterEach
    void nothingIsLeftOpen() {
        assertThat(api.scripted.openStreams()).isZero();
    }

    @AfterAll
    void stop() {
        api.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"delivered", "computed", "nothing under 9 tokens"})
    void stream_cutAtEachWrite_chargedByThePolicy(String policy) throws Exception {
        publish(AbortPolicy.parse(policy));
        api.scripted.says(new Script(ANSWER, CACHED, 0, -1));
        TestPlatform.Customer customer = api.customer("100");
        for (int cut = 0; ; cut++) {
            Money before = api.available(customer);
            CutSink sink = new CutSink(cut);
            boolean left = false;
            try {
                stream(job(1, null, List.of()), customer).write(sink);
            } catch (IOException e) {
                left = true;
            }
            int read = sink.text().getBytes(StandardCharsets.UTF_8).length;
            boolean complete = read == TOKENS; // whether or not the last event, which says so, was written
            long billed = complete
                    ? TOKENS
                    : switch (policy) {
                        case "delivered" -> read;
                        case "computed" -> TOKENS;
                        default -> read < 9 ? 0 : read;
                    };
            assertThat(before.minus(api.available(customer)))
                    .as("cut at write %d", cut)
                    .isEqualTo(cost(billed));
            assertThat(event(customer, request).map(UsageEvent::brokenOff))
                    .isEqualTo(billed == 0 ? Optional.empty() : Optional.of(!complete));
            if (!left) {
                assertThat(sink.text()).isEqualTo(ANSWER);
                assertThat(cut).isEqualTo(ANSWER.codePointCount(0, ANSWER.length()) + 1);
                return;
            }
        }
    }

    @Test
    void stream_moneyForPartOfABlock_endsAtTheLastPaidToken() throws Exception {
        publish(AbortPolicy.STANDARD);
        String answer = "x".repeat(1000);
        api.scripted.says(new Script(answer, 0, 0, -1));
        // the prompt and 2 blocks of 256 and 77 tokens
        int paid = 2 * 256 + 77;
        Money credit =
                yuan("0.001").times(PROMPT).plus(yuan("0.002").times(paid)).plus(yuan("0.0019"));
        TestPlatform.Customer customer = api.customer(credit.toDecimalString());
        CutSink sink = new CutSink(Integer.MAX_VALUE);
        stream(job(1, null, List.of()), customer).write(sink);
        assertThat(sink.text()).isEqualTo("x".repeat(paid));
        assertThat(sink.last())
                .contains("\"finish_reason\":\"length\"", "\"completion_tokens\":" + paid)
                .endsWith("data: [DONE]\n\n");
        assertThat(api.available(customer)).isEqualTo(yuan("0.0019"));
    }

    @Test
    void stream_severalChoices_eachEndsAndAllAreCharged() throws Exception {
        publish(AbortPolicy.STANDARD);
        api.scripted.says(new Script("one two", 0, 0, -1));
        TestPlatform.Customer customer = api.customer("2");
        CutSink sink = new CutSink(Integer.MAX_VALUE);
        stream(job(3, null, List.of()), customer).write(sink);
        assertThat(sink.text()).hasSize(3 * 7);
        assertThat(sink.all().split("\"finish_reason\":\"stop\"", -1)).hasSize(4);
        assertThat(spent(customer, "2"))
                .isEqualTo(yuan("0.001").times(PROMPT).plus(yuan("0.002").times(21)));
        assertThat(event(customer, request).orElseThrow().lines()).hasSize(3);
    }

    @Test
    void stream_stopString_neverSentAndItsTokensCharged() throws Exception {
        publish(AbortPolicy.STANDARD);
        api.scripted.says(new Script("keep this STOP not this", 0, 0, -1));
        TestPlatform.Customer customer = api.customer("1");
        CutSink sink = new CutSink(Integer.MAX_VALUE);
        stream(job(1, null, List.of("STOP", "STORE")), customer).write(sink);
        assertThat(sink.text()).isEqualTo("keep this ");
        assertThat(sink.last()).contains("\"finish_reason\":\"stop\"");
        assertThat(spent(customer, "1"))
                .isEqualTo(yuan("0.001").times(PROMPT).plus(yuan("0.002").times(14)));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 12})
    void stream_engineDies_errorEventAndWhatWasSentCharged(int after) throws Exception {
        publish(new AbortPolicy.NothingUnder(1000));
        api.scripted.says(new Script(ANSWER, 0, 0, after));
        TestPlatform.Customer customer = api.customer("1");
        CutSink sink = new CutSink(Integer.MAX_VALUE);
        stream(job(1, null, List.of()), customer).write(sink);
        int read = sink.text().getBytes(StandardCharsets.UTF_8).length;
        assertThat(read).isBetween(after - 3, after);
        assertThat(sink.last()).contains("\"error\":{\"message\":\"the engine of scripted failed");
        assertThat(spent(customer, "1"))
                .isEqualTo(yuan("0.001").times(PROMPT).plus(yuan("0.002").times(read)));
    }

    @Test
    void stream_engineDiesBeforeTheFirstToken_refusedAndNothingCharged() {
        publish(AbortPolicy.STANDARD);
        api.scripted.says(new Script(ANSWER, 0, 0, 0));
        TestPlatform.Customer customer = api.customer("1");
        PaidStream stream = stream(job(1, null, List.of()), customer);
        assertThatThrownBy(() -> stream.write(new CutSink(Integer.MAX_VALUE)))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("send the request again in 2 s");
        assertThat(spent(customer, "1")).isEqualTo(yuan("0"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"delivered", "computed"})
    void stream_clientLeavesWhileThePromptIsRead_seenWithinSecondsAndFree(String policy) {
        publish(AbortPolicy.parse(policy));
        api.scripted.says(new Script(ANSWER, 0, 60_000, -1));
        TestPlatform.Customer customer = api.customer("1");
        CutSink sink = new CutSink(1);
        PaidStream stream = stream(job(1, null, List.of()), customer);
        assertThatThrownBy(() -> stream.write(sink)).isInstanceOf(IOException.class);
        assertThat(sink.all()).isEqualTo(": still at work\n\n");
        assertThat(spent(customer, "1")).isEqualTo(yuan("0"));
    }

    private void publish(AbortPolicy policy) {
        var rules = Map.of(
                Meter.INPUT_TOKENS, TestPlatform.flat("0.001"),
                Meter.CACHED_INPUT_TOKENS, TestPlatform.flat("0.0005"),
                Meter.OUTPUT_TOKENS, TestPlatform.flat("0.002"));
        api.commerce
                .prices()
                .publish(
                        new NewPrice(TestPlatform.PLAN, "scripted", rules, policy, Optional.empty()),
                        TestPlatform.command())
                .orThrow();
    }

    private Job job(int choices, @Nullable Integer maxTokens, List<String> stops) {
        return new Job(
                api.scripted,
                List.of(new int[] {1, 2, 3, 4, 5, 6, 7}),
                choices,
                maxTokens,
                Sampling.GREEDY,
                stops,
                -1,
                null,
                null,
                "test");
    }

    private PaidStream stream(Job job, TestPlatform.Customer customer) {
        Caller caller = api.commerce.keys().authenticate(customer.key()).orElseThrow();
        request = RequestId.next();
        UsageRequest wanted = new UsageRequest(
                request,
                caller,
                "scripted",
                PaidStream.firstHold(
                        job,
                        api.commerce
                                .prices()
                                .find(
                                        caller.organization(),
                                        "scripted",
                                        api.commerce.organizations().now(caller.organization()))),
                null,
                UsageRequest.Delivery.BEFORE_SETTLE);
        if (!(api.commerce.till().authorize(wanted) instanceof Authorization.Granted(Reservation reservation))) {
            throw new AssertionError("the stream's beginning was not granted");
        }
        WireFormat format = new ChatCompletionsFormat("req_test", 0, api.scripted, job.choices(), false, true);
        return new PaidStream(api.commerce.till(), job, format, "messages", reservation, false);
    }

    private static Money cost(long output) {
        if (output == 0) return yuan("0");
        return yuan("0.001")
                .times(PROMPT - CACHED)
                .plus(yuan("0.0005").times(CACHED))
                .plus(yuan("0.002").times(output));
    }

    private Money spent(TestPlatform.Customer customer, String paidIn) {
        return yuan(paidIn).minus(api.available(customer));
    }

    private Optional<UsageEvent> event(TestPlatform.Customer customer, RequestId of) {
        return api.commerce.usage().find(customer.organization(), of);
    }

    private static Money yuan(String amount) {
        return Money.of(TestPlatform.CNY, amount);
    }

    /** Takes so many writes, then is gone. */
    private static final class CutSink implements EventStream.Sink {
        private final int writes;
        private final List<String> taken = new ArrayList<>();

        CutSink(int writes) {
            this.writes = writes;
        }

        @Override
        public void header(String name, String value) {
            throw new AssertionError("a conversation that is served here knows its headers before: " + name);
        }

        @Override
        public void send(byte[] events) throws IOException {
            if (taken.size() == writes) throw new IOException("the client is gone");
            taken.add(new String(events, StandardCharsets.UTF_8));
            LockSupport.parkNanos(1); // another thread may run: nothing here may depend on which
        }

        String all() {
            return String.join("", taken);
        }

        String last() {
            return taken.getLast();
        }

        /** All content of all chunks. */
        String text() {
            StringBuilder text = new StringBuilder();
            for (String line : all().split("\n")) {
                if (!line.startsWith("data: {")) continue;
                Map<String, Object> chunk = Json.readMap(line.substring(6).getBytes(StandardCharsets.UTF_8));
                if (chunk.get("choices") instanceof List<?> choices
                        && !choices.isEmpty()
                        && choices.getFirst() instanceof Map<?, ?> choice
                        && choice.get("delta") instanceof Map<?, ?> delta
                        && delta.get("content") instanceof String content) {
                    text.append(content);
                }
            }
            return text.toString();
        }
    }
}
