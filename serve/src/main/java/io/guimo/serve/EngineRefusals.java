package io.guimo.serve;

import io.guimo.inference.EngineClosed;
import io.guimo.inference.InferenceRefusal;
import io.guimo.inference.InvalidInput;
import io.guimo.inference.Overloaded;
import io.guimo.inference.UpstreamFailed;
import io.guimo.serve.http.Refusal;
import java.time.Duration;

/** An engine's refusals as ours. */
final class EngineRefusals {
    private EngineRefusals() {}

    static Refusal refusal(InferenceRefusal refused) {
        return refusal(refused, "input");
    }

    /** @param param the field whose elements the engine's index counts */
    static Refusal refusal(InferenceRefusal refused, String param) {
        return switch (refused) {
            case InvalidInput r ->
                new Refusal.InvalidRequest(
                        r.getMessage(), r.index() < 0 ? param : param + "[" + r.index() + "]", r.code());
            case Overloaded r -> new Refusal.Overloaded(r.getMessage(), r.retryAfter());
            case EngineClosed r -> new Refusal.Overloaded(r.getMessage(), Duration.ofMillis(200));
            case UpstreamFailed r -> new Refusal.UpstreamFailed(r.getMessage());
        };
    }
}
