package io.guimo.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.guimo.data.Catalogue;
import io.guimo.inference.ChatReply;
import io.guimo.inference.ModelHost;
import io.guimo.inference.RemoteChat;
import io.guimo.units.OrganizationId;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RemoteModelsTest {
    private static final byte[] REQUEST = "{\"model\":\"chat\",\"messages\":[]}".getBytes(StandardCharsets.UTF_8);

    @TempDir
    private Path folder;

    private static Business business(String from, String spare) {
        return BusinessFile.parse("test.yaml", """
                business: Test
                currency: CNY
                models:
                  chat: {task: generate-text, from: %s}
                  spare: {task: generate-text, from: %s}
                plans:
                  - {name: payg, prices: {chat: {per: 1M tokens, input: 1, output: 2}, spare: {per: 1M tokens, input: 1, output: 2}}}
                costs: {machine: {perHour: 1}}
                """.formatted(from, spare), Catalogue.standard());
    }

    @Test
    void mount_keysBySecretAndEnvironment_sentToTheirUpstreams() throws Exception {
        List<String> keys = new CopyOnWriteArrayList<>();
        HttpServer upstream = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        upstream.createContext("/v1/chat/completions", exchange -> {
            exchange.getRequestBody().readAllBytes();
            keys.add(exchange.getRequestHeaders().getFirst("authorization"));
            byte[] answer = "{\"model\":\"x\",\"choices\":[]}".getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("content-type", "application/json");
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        upstream.start();
        try (ModelHost models = new ModelHost()) {
            String url = "http://127.0.0.1:" + upstream.getAddress().getPort() + "/v1";
            Business business = business(
                    "{remote: {upstreams: [{url: \"" + url + "\", key: {secret: gpu}}], fallback: spare}}",
                    "{remote: {upstreams: [{url: \"" + url + "\", key: {env: GPU_KEY}}]}}");
            Secrets secrets = new Secrets(Home.at(folder).open(), Map.of());
            secrets.set("gpu", "sk-secret");
            RemoteModels remote = new RemoteModels(business, secrets, Map.of("GPU_KEY", "sk-env"));
            remote.requireKeys();
            remote.mount(models, folder, folder, new ArrayDeque<>());

            ChatReply first = chat(models, "chat").complete(REQUEST);
            ChatReply second = chat(models, "spare").complete(REQUEST);

            assertThat(keys).containsExactly("Bearer sk-secret", "Bearer sk-env");
            assertThat(new String(first.body(), StandardCharsets.UTF_8)).contains("\"model\":\"chat\"");
            assertThat(new String(second.body(), StandardCharsets.UTF_8)).contains("\"model\":\"spare\"");
            assertThat(business.toString()).contains("gpu", "GPU_KEY").doesNotContain("sk-");
        } finally {
            upstream.stop(0);
        }
    }

    private static RemoteChat chat(ModelHost models, String name) {
        return (RemoteChat) models.find(new OrganizationId("org_1"), name).orElseThrow();
    }

    @Test
    void requireKeys_missing_saysWhichAndWhatToDo() throws Exception {
        Secrets secrets = new Secrets(Home.at(folder).open(), Map.of());
        Business bySecret = business(
                "{remote: {upstreams: [{url: \"http://h/v1\", key: {secret: gpu}}]}}", "{upstream: \"http://h/v1\"}");
        assertThatThrownBy(() -> new RemoteModels(bySecret, secrets, Map.of()).requireKeys())
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("./guimo secret set gpu");
        Business byVariable = business(
                "{remote: {upstreams: [{url: \"http://h/v1\", key: {env: NONE}}]}}", "{upstream: \"http://h/v1\"}");
        assertThatThrownBy(() -> new RemoteModels(byVariable, secrets, Map.of()).requireKeys())
                .hasMessageContaining("environment variable NONE");
        assertThatThrownBy(() -> new RemoteModels(byVariable, secrets, Map.of("NONE", "a b")).requireKeys())
                .hasMessageContaining("3 characters")
                .hasMessageNotContaining("a b");
    }

    @Test
    void read_mistakesInRemote_eachWithItsPlace() {
        String one = "{upstreams: [{url: \"http://h/v1\"}], fallback: spare}";
        assertThat(mistakes("{remote: {upstreams: []}}", "{upstream: \"http://h/v1\"}"))
                .contains("upstreams has 0 servers");
        assertThat(
                        mistakes(
                                "{remote: {upstreams: [{url: \"ftp://h\", wait: 3}], fallback: spar, restFor: PT1MS}}",
                                "{remote: {upstreams: [{url: \"https://h/v1\", weight: 0}, {url: \"http://h/v1\", key: {secret: a, env: B}}]}}"))
                .contains("unknown key 'wait'")
                .contains("did you mean spare?")
                .contains("'PT1MS' is not a duration")
                .contains("weight is 0")
                .contains("a key is either");
        assertThat(mistakes("{remote: " + one + "}", "{remote: " + one.replace("spare", "chat") + "}"))
                .contains("models.chat.from.remote.fallback: the fallbacks lead back to this model")
                .contains("models.spare.from.remote.fallback");
        assertThat(mistakes("{upstream: \"http://h/v1\", remote: " + one + "}", "{upstream: \"http://h/v1\"}"))
                .contains("a source is either 'catalog'");
    }

    private static String mistakes(String from, String spare) {
        try {
            business(from, spare);
        } catch (CommandFailure failure) {
            return String.valueOf(failure.getMessage());
        }
        throw new AssertionError("accepted: " + from + " and " + spare);
    }

    @Test
    void secretCommand_setListRemove_valueNeverShown() {
        var before = System.in;
        StringWriter said = new StringWriter();
        PrintWriter out = new PrintWriter(said);
        try {
            System.setIn(new ByteArrayInputStream("sk-typed\n".getBytes(StandardCharsets.UTF_8)));
            assertThat(run(out, "secret", "set", "gpu")).isZero();
            assertThat(run(out, "secret", "list")).isZero();
            assertThat(run(out, "secret", "remove", "gpu")).isZero();
            assertThat(run(out, "secret", "remove", "gpu")).isEqualTo(1);
            assertThat(run(out, "secret", "set", "No Name")).isEqualTo(1);
        } finally {
            System.setIn(before);
        }
        assertThat(said.toString())
                .contains(
                        "'gpu' is kept",
                        "gpu  ",
                        "set 20",
                        "'gpu' is removed",
                        "There is no secret 'gpu'",
                        "standard input was empty")
                .doesNotContain("sk-typed");
    }

    private int run(PrintWriter out, String... command) {
        String[] all = new String[command.length + 2];
        all[0] = "--home";
        all[1] = folder.toString();
        System.arraycopy(command, 0, all, 2, command.length);
        return Main.commandLine(out, out).execute(all);
    }
}
