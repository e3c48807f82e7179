package io.guimo.serve.admin;

import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.command.Commands;
import io.guimo.commerce.command.Outcome;
import io.guimo.postgres.Database;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Exchange;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/** Commands whose module keeps no keys of its own: the same key and content gives the first answer, and the work is done once. */
final class Once {
    private final Database database;

    Once(Database database) {
        this.database = database;
    }

    /**
     * @param content everything that the command says, its name first
     * @param work does it and gives what {@code read} finds the answer by; whatever it throws leaves the key unused
     */
    Answer answer(Exchange exchange, List<String> content, Supplier<String> work, Function<String, ?> read) {
        CommandKey key = Answers.commandKey(exchange);
        Outcome<String> outcome = database.transaction(connection -> Commands.once(
                connection, key, content, _ -> new Outcome.Done<>(work.get(), false), (_, answer) -> answer));
        return Answers.of(outcome, read);
    }
}
