package io.guimo.inference;

import io.guimo.units.Meter;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A remote model in whose place another one answers while none of its upstreams does. Only where nothing was said to the client; a refusal of what the
 * client sent and a time limit that passed stay what they are. The answer names the model that gave it; it is sold as the one that was asked for.
 */
public final class FailoverChat implements RemoteChat {
    private final RemoteChat first;
    private final Supplier<? extends @Nullable RemoteChat> other;
    private final LongAdder failovers = new LongAdder();

    /** @param other the model that answers in its place, looked up for each request; null while there is none. It is not closed with this one */
    public FailoverChat(RemoteChat first, Supplier<? extends @Nullable RemoteChat> other) {
        this.first = first;
        this.other = other;
    }

    @Override
    public ChatReply complete(byte[] body) {
        try {
            return first.complete(body);
        } catch (InferenceRefusal refused) {
            RemoteChat second = inPlace(refused);
            ChatReply reply = second.complete(limited(body));
            return reply.servedBy().isEmpty() ? reply.servedBy(second.name()) : reply;
        }
    }

    @Override
    public ChatStreamEnd stream(byte[] body, ChunkListener listener) {
        try {
            return first.stream(body, listener);
        } catch (InferenceRefusal refused) {
            RemoteChat second = inPlace(refused);
            listener.servedBy(second.name());
            return second.stream(limited(body), listener);
        }
    }

    private RemoteChat inPlace(InferenceRefusal refused) {
        boolean untouched =
                switch (refused) {
                    case UpstreamBusy _, Overloaded _ -> true;
                    case UpstreamFailed failed -> failed.unanswered();
                    case InvalidInput _, EngineClosed _, EngineFailed _ -> false;
                };
        RemoteChat second = untouched ? other.get() : null;
        if (second == null) throw refused;
        failovers.increment();
        return second;
    }

    /** The money held is for this model's limit, not for the other's. */
    private byte[] limited(byte[] body) {
        return ChatBody.read(body, maxOutputTokens(), false, false).limited();
    }

    @Override
    public int maxOutputTokens() {
        return first.maxOutputTokens();
    }

    @Override
    public RemoteState state() {
        RemoteState state = first.state();
        return new RemoteState(
                state.upstreams(),
                state.retries(),
                state.failovers() + failovers.sum(),
                state.tokens(),
                state.countsDiffered());
    }

    @Override
    public String name() {
        return first.name();
    }

    @Override
    public String version() {
        return first.version();
    }

    @Override
    public Set<Meter> meters() {
        return first.meters();
    }

    @Override
    public EngineUsage usage() {
        return first.usage();
    }

    @Override
    public void close() {
        first.close();
    }
}
