package io.guimo.units;

import java.time.Duration;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneId;

/**
 * A half-open span of time: {@code start} belongs to it, {@code end} does not.
 *
 * @param start first instant
 * @param end first instant after it, later than {@code start}
 */
public record TimeWindow(Instant start, Instant end) {
    public TimeWindow {
        if (!start.isBefore(end)) {
            throw new IllegalArgumentException("a window must end after it starts: " + start + " to " + end);
        }
    }

    /** The calendar month in {@code zone} that contains {@code instant}; its length follows the zone's daylight saving. */
    public static TimeWindow monthOf(Instant instant, ZoneId zone) {
        YearMonth month = YearMonth.from(instant.atZone(zone));
        return new TimeWindow(
                month.atDay(1).atStartOfDay(zone).toInstant(),
                month.plusMonths(1).atDay(1).atStartOfDay(zone).toInstant());
    }

    /** The calendar day in {@code zone} that contains {@code instant}. */
    public static TimeWindow dayOf(Instant instant, ZoneId zone) {
        var day = instant.atZone(zone).toLocalDate();
        return new TimeWindow(
                day.atStartOfDay(zone).toInstant(),
                day.plusDays(1).atStartOfDay(zone).toInstant());
    }

    public boolean contains(Instant instant) {
        return !instant.isBefore(start) && instant.isBefore(end);
    }

    public Duration length() {
        return Duration.between(start, end);
    }
}
