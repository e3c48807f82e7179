package io.guimo.commerce;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * @param server name of this server, its own among all that share the database and the same after a restart; given by the launcher
 * @param lanes threads that write, each with a connection of its own; 1 unless given. More pay where the database has several cores to itself
 * @param batch most commands of one transaction; 512 unless given
 * @param queue most requests that wait to be authorised on one lane before others are refused; 10,000 unless given
 * @param countedFor how long a request id stays known, so that the same request is not counted twice; 400 days unless given
 */
public record TillSettings(
        String server,
        @Nullable Integer lanes,
        @Nullable Integer batch,
        @Nullable Integer queue,
        @Nullable Duration countedFor) {
    public TillSettings {
        if (server.isBlank()) throw new IllegalArgumentException("the server's name is blank; give it one of its own");
        lanes = checked("lanes", lanes, 1, 64);
        batch = checked("batch", batch, 512, 10_000);
        queue = checked("queue", queue, 10_000, 1_000_000);
        if (countedFor == null) countedFor = Duration.ofDays(400);
        if (countedFor.compareTo(Duration.ofDays(1)) < 0) {
            throw new IllegalArgumentException("till.countedFor is " + countedFor + "; give a day (P1D) or more");
        }
    }

    public static TillSettings of(String server) {
        return new TillSettings(server, null, null, null, null);
    }

    @Override
    @SuppressWarnings("NullAway") // the compact constructor filled it in
    public Integer lanes() {
        return lanes;
    }

    @Override
    @SuppressWarnings("NullAway") // the compact constructor filled it in
    public Integer batch() {
        return batch;
    }

    @Override
    @SuppressWarnings("NullAway") // the compact constructor filled it in
    public Integer queue() {
        return queue;
    }

    @Override
    @SuppressWarnings("NullAway") // the compact constructor filled it in
    public Duration countedFor() {
        return countedFor;
    }

    private static Integer checked(String name, @Nullable Integer given, int unlessGiven, int most) {
        int value = given == null ? unlessGiven : given;
        if (value < 1 || value > most) {
            throw new IllegalArgumentException("till." + name + " is " + value + "; give a number from 1 to " + most);
        }
        return value;
    }
}
