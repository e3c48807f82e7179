package io.guimo.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.commerce.ledger.LedgerReport;
import io.guimo.postgres.DatabaseAddress;
import io.guimo.units.Money;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Two servers over HTTP on one database: one in this process, the other in a process that can be killed. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ReplicasTest {
    private static final String BREAD = "{\"model\": \"rest\", \"items\": [\"bread\"], \"limit\": 2}";
    private static final String TALK =
            "{\"model\": \"%s\", \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"hello\"}]}";
    private TestPlatform here;

    @BeforeAll
    void start() {
        here = TestPlatform.start("replicas_test");
    }

    @AfterAll
    void stop() {
        here.close();
    }

    /** The other server. Arguments: address, user and password of the database. Prints where it listens. */
    static final class Replica {
        public static void main(String[] arguments) throws Exception {
            TestPlatform replica =
                    TestPlatform.replica(new DatabaseAddress(arguments[0], arguments[1], arguments[2]), "other");
            System.out.println(replica.server.baseUrl());
            new CountDownLatch(1).await();
        }
    }

    private record Other(Process process, URI url) implements AutoCloseable {
        @Override
        public void close() {
            process.destroyForcibly().onExit().join();
        }
    }

    private Other startOther() throws IOException {
        Path classPath = Files.createTempFile(Path.of("target"), "class-path", ".args");
        Files.writeString(
                classPath,
                "-cp\n\"" + System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
                        + "\"\n");
        DatabaseAddress database = here.platform.database().address();
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx200m",
                        "--enable-native-access=ALL-UNNAMED",
                        "@" + classPath,
                        Replica.class.getName(),
                        database.url(),
                        database.user(),
                        database.password())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedReader output = process.inputReader();
        for (String line; (line = output.readLine()) != null; ) {
            if (line.startsWith("http")) return new Other(process, URI.create(line));
        }
        throw new AssertionError("the other server ended before it listened");
    }

    private HttpResponse<String> post(URI server, String path, String key, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(server.resolve(path))
                .timeout(Duration.ofSeconds(60))
                .header("authorization", "Bearer " + key)
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        return here.client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void requests_fromSixtyFourClientsMoneyForAThousand_exactlyAThousandSucceed() throws Exception {
        try (Other other = startOther()) {
            for (List<URI> servers :
                    List.of(List.of(here.server.baseUrl()), List.of(here.server.baseUrl(), other.url()))) {
                TestPlatform.Customer customer = here.customer("0.5"); // at .0005 a request
                AtomicInteger served = new AtomicInteger();
                Map<Integer, LongAdder> refused = new ConcurrentHashMap<>();
                inParallel(64, client -> {
                    for (int i = 0; i < 40; i++) {
                        HttpResponse<String> answer =
                                post(servers.get(i % servers.size()), "/v1/recommendations", customer.key(), BREAD);
                        if (answer.statusCode() == 200) served.incrementAndGet();
                        else {
                            refused.computeIfAbsent(answer.statusCode(), _ -> new LongAdder())
                                    .increment();
                            assertThat(answer.body()).contains("insufficient_quota");
                        }
                    }
                });
                assertThat(served).hasValue(1000);
                assertThat(refused.keySet()).containsExactly(429);
                assertThat(here.available(customer)).isEqualTo(yuan("0"));
            }
            booksAreRight();
        }
    }

    @Test
    void twoServers_sameLoadAndAHotWallet_noClientSeesAFailureAndEveryAnswerIsChargedOnce() throws Exception {
        TestPlatform.Customer hot = here.customer("100");
        List<TestPlatform.Customer> calm = List.of(here.customer("100"), here.customer("100"), here.customer("100"));
        Queue<String> acknowledged = new ConcurrentLinkedQueue<>();
        LongAdder hotRequests = new LongAdder();
        LongAdder hotStreams = new LongAdder();
        try (Other other = startOther()) {
            List<URI> servers = List.of(here.server.baseUrl(), other.url());
            inParallel(32, client -> {
                Random random = new Random(client);
                for (int i = 0; i < 30; i++) {
                    boolean isHot = random.nextBoolean();
                    boolean isStream = random.nextInt(4) == 0;
                    TestPlatform.Customer customer = isHot ? hot : calm.get(random.nextInt(calm.size()));
                    URI server = servers.get(random.nextInt(2));
                    HttpResponse<String> answer = isStream
                            ? post(server, "/v1/chat/completions", customer.key(), TALK.formatted("talker"))
                            : post(server, "/v1/recommendations", customer.key(), BREAD);
                    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
                    acknowledged.add(answer.headers().firstValue("x-request-id").orElseThrow());
                    if (isHot) (isStream ? hotStreams : hotRequests).increment();
                }
            });
        }
        // a stream of the talker costs 9 × .001 + 5 × .002
        Money spent = yuan("0.0005").times(hotRequests.sum()).plus(yuan("0.019").times(hotStreams.sum()));
        assertThat(here.available(hot)).isEqualTo(yuan("100").minus(spent));
        for (String request : acknowledged) assertThat(events(request)).isEqualTo(1);
        booksAreRight();
    }

    @Test
    void kill_otherServer_itsStreamIsChargedAsRecordedAndTheLivingOneKeepsItsMoney() throws Exception {
        TestPlatform.Customer living = here.customer(
                "2"); // enough for this stream (600 words in 15 s cost 1.209) with its blocks, not for two
        TestPlatform.Customer orphaned = here.customer("100");
        List<HttpResponse<String>> answers = new ArrayList<>();
        Thread stream = Thread.ofVirtual().start(() -> {
            try {
                answers.add(post(
                        here.server.baseUrl(), "/v1/chat/completions", living.key(), TALK.formatted("slow-talker")));
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        try (Other other = startOther()) {
            var _ = here.client.sendAsync(
                    HttpRequest.newBuilder(other.url().resolve("/v1/chat/completions"))
                            .header("authorization", "Bearer " + orphaned.key())
                            .header("content-type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString(TALK.formatted("slow-talker")))
                            .build(),
                    HttpResponse.BodyHandlers.discarding());
            while (open(orphaned) == 0) Thread.sleep(20);
            other.process().destroyForcibly().waitFor();
        }
        long killed = System.nanoTime();
        while (open(orphaned) > 0) {
            // 10 s after the lease's last renewal, and the half second between two looks; a busy machine may take
            // longer
            assertThat(System.nanoTime() - killed)
                    .isLessThan(Duration.ofSeconds(40).toNanos());
            Thread.sleep(20);
        }
        System.out.printf("swept %.1f s after the kill%n", (System.nanoTime() - killed) / 1e9);
        assertThat(here.available(orphaned)).isEqualTo(yuan("100")); // its first block had not ended
        stream.join();
        assertThat(answers.getFirst().body()).contains("\"w599 \"").endsWith("data: [DONE]\n\n");
        assertThat(here.available(living)).isEqualTo(yuan("0.791"));
        booksAreRight();
    }

    private interface Client {
        void run(int number) throws Exception;
    }

    private static void inParallel(int clients, Client client) throws InterruptedException {
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            int number = i;
            threads.add(Thread.ofVirtual().start(() -> {
                try {
                    client.run(number);
                } catch (Exception | AssertionError e) {
                    failures.add(e);
                }
            }));
        }
        for (Thread thread : threads) thread.join();
        assertThat(failures).isEmpty();
    }

    private void booksAreRight() {
        LedgerReport report = here.commerce.ledger().verify();
        assertThat(report.isRight()).as("%s", report).isTrue();
    }

    private long events(String request) {
        return count("select count(*) from usage_event where request_id = ?", request);
    }

    private long open(TestPlatform.Customer customer) {
        return count(
                "select count(*) from reservation r join wallet w on w.id = r.wallet_id where w.organization_id = ?",
                customer.organization().value());
    }

    private long count(String sql, String parameter) {
        return here.platform.database().transaction(connection -> {
            try (var statement = connection.prepareStatement(sql)) {
                statement.setString(1, parameter);
                try (var row = statement.executeQuery()) {
                    row.next();
                    return row.getLong(1);
                }
            }
        });
    }

    private static Money yuan(String amount) {
        return Money.of(TestPlatform.CNY, amount);
    }
}
