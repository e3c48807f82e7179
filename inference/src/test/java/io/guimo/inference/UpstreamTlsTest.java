package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Upstreams over https, with certificates made by the JDK's own tool. */
@Timeout(60)
final class UpstreamTlsTest {
    private static final byte[] REQUEST = "{\"messages\":[]}".getBytes(StandardCharsets.UTF_8);
    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    private static Path folder;

    @BeforeAll
    static void makeCertificates() throws Exception {
        make("good", "ip:127.0.0.1");
        make("elsewhere", "dns:elsewhere.example");
    }

    private static void make(String name, String address) throws Exception {
        String store = folder.resolve(name + ".p12").toString();
        keytool("-genkeypair -alias a -keyalg EC -dname CN=test -ext san=" + address + " -keystore " + store);
        keytool("-exportcert -rfc -alias a -keystore " + store + " -file " + folder.resolve(name + ".pem"));
    }

    private static void keytool(String arguments) throws Exception {
        Path tool = Path.of(System.getProperty("java.home"), "bin", "keytool");
        Process made = new ProcessBuilder(
                        (tool + " " + arguments + " -storetype PKCS12 -storepass changeit").split(" "))
                .redirectErrorStream(true)
                .start();
        String said = new String(made.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(made.waitFor()).as(said).isZero();
    }

    private static FakeUpstream upstream(String certificate) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(folder.resolve(certificate + ".p12"))) {
            keys.load(in, PASSWORD);
        }
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(keys, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(factory.getKeyManagers(), null, null);
        return new FakeUpstream(
                FakeUpstream.json("{\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}"),
                context.getServerSocketFactory());
    }

    private static OpenAiRemoteChat chat(int port, @Nullable String ca) {
        return new OpenAiRemoteChat(
                "chat",
                "1",
                new RemoteChatSettings(
                                List.of(new UpstreamSettings(
                                        URI.create("https://127.0.0.1:" + port + "/v1"), null, null, null, null, ca)),
                                new RemoteTimeLimits(Duration.ofSeconds(2), null, null, null),
                                null,
                                null,
                                null,
                                Duration.ZERO,
                                null,
                                null,
                                null)
                        .withFilesIn(folder));
    }

    @Test
    void complete_signedByTheGivenAuthority_servedOverKeptConnection() throws Exception {
        try (FakeUpstream upstream = upstream("good");
                OpenAiRemoteChat chat = chat(upstream.port(), "good.pem")) {
            for (int i = 0; i < 20; i++)
                assertThat(chat.complete(REQUEST).usage()).isEqualTo(new ChatUsage(1, 0, 2, true));
            // A request of a size that is watched, over TLS
            byte[] large = ("{\"messages\":[\"" + "x".repeat(1 << 20) + "\"]}").getBytes(StandardCharsets.UTF_8);
            assertThat(chat.complete(large).succeeded()).isTrue();
            assertThat(chat.connectionsOpened()).isEqualTo(1);
        }
    }

    @Test
    void complete_unknownAuthorityOrOtherName_requestNeverSent() throws Exception {
        for (String[] pair :
                new String[][] {{"good", null}, {"good", "elsewhere.pem"}, {"elsewhere", "elsewhere.pem"}}) {
            try (FakeUpstream upstream = upstream(pair[0]);
                    OpenAiRemoteChat chat = chat(upstream.port(), pair[1])) {
                UpstreamFailed failed = catchThrowableOfType(UpstreamFailed.class, () -> chat.complete(REQUEST));
                assertThat(failed.unanswered()).isTrue();
                assertThat(upstream.heads).isEmpty();
            }
        }
    }

    @Test
    void complete_handshakeNeverAnswered_failsWithinTheConnectLimit() throws Exception {
        try (ServerSocket deaf = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
                OpenAiRemoteChat chat = chat(deaf.getLocalPort(), "good.pem")) {
            UpstreamFailed failed = catchThrowableOfType(UpstreamFailed.class, () -> chat.complete(REQUEST));
            assertThat(failed.unanswered()).isTrue();
        }
    }

    @Test
    void open_fileWithoutCertificates_refused() throws Exception {
        Files.writeString(folder.resolve("empty.pem"), "");
        Files.writeString(folder.resolve("text.pem"), "no certificate");
        for (String ca : new String[] {"empty.pem", "text.pem", "missing.pem"}) {
            assertThatThrownBy(() -> chat(1, ca))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(ca);
        }
    }
}
