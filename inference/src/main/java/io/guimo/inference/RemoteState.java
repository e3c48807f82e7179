package io.guimo.inference;

import java.util.List;

/**
 * How a remote model does.
 *
 * @param retries        requests sent again after a failure, each time counted
 * @param failovers      requests that another model answered
 * @param tokens         of answers whose tokens both sides counted
 * @param countsDiffered of these answers, those whose two counts lay apart by more than a tenth and by more than 8 tokens
 */
public record RemoteState(
        List<UpstreamState> upstreams, long retries, long failovers, BothCounts tokens, long countsDiffered) {
    /** Nothing is known of upstreams. */
    public static final RemoteState NONE = new RemoteState(List.of(), 0, 0, new BothCounts(0, 0, 0, 0), 0);

    public RemoteState {
        upstreams = List.copyOf(upstreams);
    }

    /** Sums of tokens by our own count and by the upstream's report. */
    public record BothCounts(long ourInput, long theirInput, long ourOutput, long theirOutput) {}
}
