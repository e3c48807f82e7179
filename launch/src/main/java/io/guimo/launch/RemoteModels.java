package io.guimo.launch;

import io.guimo.inference.FailoverChat;
import io.guimo.inference.KeyReference;
import io.guimo.inference.ModelHost;
import io.guimo.inference.OpenAiRemoteChat;
import io.guimo.inference.RemoteChat;
import io.guimo.inference.RemoteChatSettings;
import io.guimo.inference.TokenCount;
import io.guimo.registry.ModelOwner;
import io.guimo.text.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The models of a business that other servers answer for. */
final class RemoteModels {
    /** No prompt that a route takes has more. */
    private static final int MOST_TOKENS = 1 << 24;

    private final Map<String, RemoteChatSettings> settings = new LinkedHashMap<>();
    private final Secrets secrets;
    private final Map<String, String> environment;

    RemoteModels(Business business, Secrets secrets, Map<String, String> environment) {
        business.models().forEach((name, model) -> {
            if (model.from() != null) model.from().servers().ifPresent(servers -> settings.put(name, servers));
        });
        this.secrets = secrets;
        this.environment = environment;
    }

    /**
     * Looks up every key, so that one that is missing is reported before anything is trained.
     *
     * @throws CommandFailure naming the first that is missing
     */
    void requireKeys() {
        settings.values().forEach(servers -> servers.upstreams().forEach(u -> {
            if (u.key() != null) key(u.key());
        }));
    }

    /**
     * Opens and mounts each.
     *
     * @param folder of the business file: names of files are relative to it
     * @param opened receives what must be closed after the models
     */
    void mount(ModelHost models, Path folder, Path nativeFolder, Deque<AutoCloseable> opened) throws IOException {
        Map<String, RemoteChat> mounted = new HashMap<>();
        for (Map.Entry<String, RemoteChatSettings> each : settings.entrySet()) {
            String name = each.getKey();
            RemoteChatSettings servers = each.getValue().withFilesIn(folder);
            Optional<TokenCount> tokens = Optional.empty();
            if (servers.tokenizer() != null) {
                Tokenizer tokenizer = Tokenizer.open(Path.of(servers.tokenizer()), MOST_TOKENS, nativeFolder);
                opened.addLast(tokenizer);
                tokens = Optional.of(new TokenCount(tokenizer::count));
            }
            RemoteChat chat = new OpenAiRemoteChat(name, "remote", servers, this::key, tokens);
            if (servers.fallback() != null) {
                String other = servers.fallback();
                chat = new FailoverChat(chat, () -> mounted.get(other));
            }
            mounted.put(name, chat);
            models.mount(ModelOwner.operator(), chat);
        }
    }

    private String key(KeyReference reference) {
        String secret = reference.secret();
        if (secret != null) {
            try {
                return secrets.reveal(secret)
                        .orElseThrow(() -> new CommandFailure("the business file names the secret '" + secret
                                + "', and there is none. Keep it by ./guimo secret set " + secret));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        String variable = String.valueOf(reference.env());
        String value = environment.get(variable);
        if (value == null) {
            throw new CommandFailure(
                    "the business file names the environment variable " + variable + ", and it is not set");
        }
        Secrets.requireSendable("the environment variable " + variable, value);
        return value;
    }
}
