package io.guimo.serve;

import io.guimo.inference.EngineClosed;
import io.guimo.inference.EngineFailed;
import io.guimo.inference.InferenceRefusal;
import io.guimo.inference.InvalidInput;
import io.guimo.inference.Overloaded;
import io.guimo.inference.UpstreamBusy;
import io.guimo.inference.UpstreamFailed;
import io.guimo.serve.http.Refusal;
import java.time.Duration;
import java.util.Objects;

/** An engine's refusals as ours. */
public final class EngineRefusals {
    private EngineRefusals() {}

    public static Refusal refusal(InferenceRefusal refused) {
        return refusal(refused, "input");
    }

    /** @param param the field whose elements the engine's index counts */
    public static Refusal refusal(InferenceRefusal refused, String param) {
        String message = Objects.requireNonNull(refused.getMessage());
        return switch (refused) {
            case InvalidInput r ->
                new Refusal.InvalidRequest(message, r.index() < 0 ? param : param + "[" + r.index() + "]", r.code());
            case Overloaded r -> new Refusal.Overloaded(message, r.retryAfter());
            case EngineClosed _ -> new Refusal.Overloaded(message, Duration.ofMillis(200));
            case EngineFailed r -> new Refusal.Overloaded(message, r.retryAfter());
            case UpstreamBusy r -> new Refusal.Overloaded(message, r.retryAfter());
            case UpstreamFailed _ -> new Refusal.UpstreamFailed(message);
        };
    }
}
