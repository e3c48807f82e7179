package io.guimo.serve.language;

import io.guimo.commerce.Till;
import io.guimo.postgres.Database;
import io.guimo.serve.Governed;
import io.guimo.serve.Models;
import io.guimo.serve.http.Route;
import java.util.ArrayList;
import java.util.List;

/** The wire formats of language models, put together. */
public final class LanguageApi {
    private final Conversations conversations;
    private final Completions completions;
    private final Responses responses;
    private final Messages messages;

    /** @param database where kept answers are; its tables are brought up to date */
    public LanguageApi(Governed governed, Models models, Till till, Database database) {
        GovernedText text = new GovernedText(governed, models, till);
        conversations = new Conversations(text);
        completions = new Completions(text, models);
        messages = new Messages(text, models);
        responses = new Responses(text, models, new StoredResponses(database));
    }

    /** Chat completions; their route is shared with remote models. */
    public Conversations conversations() {
        return conversations;
    }

    /** All others. */
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>(responses.routes());
        routes.add(completions.route());
        routes.add(messages.route());
        return routes;
    }
}
