package io.guimo.serve.language;

import io.guimo.serve.http.Content;
import io.guimo.serve.http.Refusal;
import java.util.List;

/** How one request's answers are written, whole or as events. Used by one thread. All byte arrays are whole server-sent events, or empty. */
interface WireFormat {
    /** What comes before everything else. */
    byte[] begin(TokenUsage promptOnly);

    /** @param delta never empty of text */
    byte[] delta(int choice, ChoiceText.Delta delta);

    /** A choice has ended; the others go on. */
    byte[] finished(int choice, Finish finish);

    /** All choices have ended. */
    byte[] end(TokenUsage usage);

    /** The stream breaks off by our fault. */
    byte[] failed(Refusal refusal);

    /** The answer of a request that does not stream. */
    Content whole(List<Whole> choices, TokenUsage usage);

    /** One whole answer. */
    record Whole(ChoiceText.Delta answer, Finish finish) {}
}
