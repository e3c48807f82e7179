package io.guimo.inference;

/**
 * How one upstream of a remote model does.
 *
 * @param address     host and port
 * @param breaker     {@code closed} (in use), {@code open} (rests) or {@code half_open} (one request may try it)
 * @param outstanding requests that it works on or that wait for a connection to it
 * @param exchanges   tries since the start
 * @param failures    of these
 * @param opened      connections opened: far fewer than exchanges when they are kept
 */
public record UpstreamState(
        String address, String breaker, int outstanding, long exchanges, long failures, long opened) {}
