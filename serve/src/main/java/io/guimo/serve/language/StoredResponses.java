package io.guimo.serve.language;

import io.guimo.postgres.Database;
import io.guimo.serve.http.Json;
import io.guimo.text.ChatMessage;
import io.guimo.units.OrganizationId;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Answers that are kept for their organisation, and the conversations that they make up. Kept for 30 days, as OpenAI does. */
final class StoredResponses {
    private static final Duration KEPT_FOR = Duration.ofDays(30);

    /** Rows that one new answer clears away at most: more than one, so that old ones run out. */
    private static final int CLEARED_AT_ONCE = 10;

    /** Answers in one conversation at most; a longer one would not fit any model's context. */
    private static final int LONGEST_CHAIN = 1000;

    private final Database database;

    StoredResponses(Database database) {
        this.database = database;
        database.migrate("serve", "io/guimo/serve/migrations");
    }

    /**
     * @param document the answer as it is given
     * @param messages what it adds to the conversation
     */
    void keep(
            OrganizationId organization,
            String id,
            @Nullable String previousId,
            Instant createdAt,
            byte[] document,
            List<ChatMessage> messages) {
        database.perform(connection -> {
            try (PreparedStatement delete = connection.prepareStatement("delete from stored_response where id in"
                    + " (select id from stored_response where created_at < ? limit ? for update skip locked)")) {
                delete.setObject(1, createdAt.minus(KEPT_FOR).atOffset(ZoneOffset.UTC));
                delete.setInt(2, CLEARED_AT_ONCE);
                delete.executeUpdate();
            }
            try (PreparedStatement insert = connection.prepareStatement(
                    "insert into stored_response (id, organization_id, previous_id, created_at, document, messages)"
                            + " values (?, ?, ?, ?, ?, ?) on conflict (id) do nothing")) {
                insert.setString(1, id);
                insert.setString(2, organization.value());
                insert.setString(3, previousId);
                insert.setObject(4, createdAt.atOffset(ZoneOffset.UTC));
                insert.setString(5, new String(document, StandardCharsets.UTF_8));
                insert.setString(6, new String(Json.write(messages), StandardCharsets.UTF_8));
                insert.executeUpdate();
            }
        });
    }

    /** The answer as it was given. */
    Optional<byte[]> find(OrganizationId organization, String id) {
        return database.transaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "select document from stored_response where id = ? and organization_id = ?")) {
                select.setString(1, id);
                select.setString(2, organization.value());
                try (ResultSet row = select.executeQuery()) {
                    return row.next()
                            ? Optional.of(row.getString(1).getBytes(StandardCharsets.UTF_8))
                            : Optional.empty();
                }
            }
        });
    }

    /** All messages up to and with this answer, the first one first; empty when it, or one before it, is not there any more. */
    Optional<List<ChatMessage>> conversation(OrganizationId organization, String id) {
        return database.transaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement("""
                    with recursive chain as (
                        select id, previous_id, messages, 1 as depth from stored_response where id = ? and organization_id = ?
                        union all
                        select r.id, r.previous_id, r.messages, c.depth + 1 from stored_response r
                        join chain c on r.id = c.previous_id where r.organization_id = ? and c.depth < ?)
                    select previous_id, messages from chain order by depth desc""")) {
                select.setString(1, id);
                select.setString(2, organization.value());
                select.setString(3, organization.value());
                select.setInt(4, LONGEST_CHAIN);
                List<ChatMessage> messages = new ArrayList<>();
                boolean whole = false;
                try (ResultSet row = select.executeQuery()) {
                    while (row.next()) {
                        if (messages.isEmpty()) whole = row.getString(1) == null;
                        byte[] own = row.getString(2).getBytes(StandardCharsets.UTF_8);
                        messages.addAll(List.of(Json.readOwn(own, ChatMessage[].class)));
                    }
                }
                return whole ? Optional.of(messages) : Optional.empty();
            }
        });
    }

    /** @return whether it was there */
    boolean delete(OrganizationId organization, String id) {
        return database.transaction(connection -> {
            try (PreparedStatement delete =
                    connection.prepareStatement("delete from stored_response where id = ? and organization_id = ?")) {
                delete.setString(1, id);
                delete.setString(2, organization.value());
                return delete.executeUpdate() == 1;
            }
        });
    }
}
