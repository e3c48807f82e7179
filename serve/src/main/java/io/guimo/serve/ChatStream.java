package io.guimo.serve;

import io.guimo.commerce.Extension;
import io.guimo.commerce.Refused;
import io.guimo.commerce.Reservation;
import io.guimo.commerce.StoredAnswer;
import io.guimo.commerce.Till;
import io.guimo.inference.ChatStreamEnd;
import io.guimo.inference.ChatUsage;
import io.guimo.inference.InferenceRefusal;
import io.guimo.inference.RemoteChat;
import io.guimo.serve.http.EventStream;
import io.guimo.serve.http.RefusedException;
import io.guimo.units.Meter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One streamed answer and its money: a block is held ahead of what is delivered, extended as the stream goes on, and what reached the client is
 * charged, however the stream ends. If the money ends, so does the stream, with {@code finish_reason: "length"}.
 */
final class ChatStream implements EventStream.Writer {
    private static final byte[] DONE = "data: [DONE]\n\n".getBytes(StandardCharsets.UTF_8);
    private static final byte[] MONEY_ENDED =
            "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n"
                    .getBytes(StandardCharsets.UTF_8);
    private static final String EVENT_STREAM = "text/event-stream; charset=utf-8";

    private final Till till;
    private final RemoteChat model;
    private final ChatRequest request;
    private final byte[] body;
    private final @Nullable ByteArrayOutputStream kept;
    private Reservation reservation;
    private long delivered;
    private boolean moneyEnded;
    private @Nullable IOException clientLeft;
    private byte @Nullable [] usageEvent;
    private @Nullable String servedBy;

    /** @param keepAnswer whether the stream is kept for a repetition of the request */
    ChatStream(
            Till till,
            RemoteChat model,
            ChatRequest request,
            byte[] body,
            Reservation reservation,
            boolean keepAnswer) {
        this.till = till;
        this.model = model;
        this.request = request;
        this.body = body;
        this.reservation = reservation;
        this.kept = keepAnswer ? new ByteArrayOutputStream() : null;
    }

    @Override
    public void write(EventStream.Sink sink) throws IOException {
        ChatStreamEnd end;
        try {
            end = model.stream(body, new RemoteChat.ChunkListener() {
                @Override
                public void servedBy(String other) {
                    servedBy = other;
                }

                @Override
                public boolean chunk(byte[] data) {
                    return ChatStream.this.chunk(sink, data);
                }
            });
        } catch (InferenceRefusal e) {
            if (delivered == 0) till.release(reservation);
            else settle(ChatUsage.NONE, false);
            throw new RefusedException(EngineRefusals.refusal(e));
        } catch (RuntimeException | Error e) {
            // what reached the client is charged, and nothing else
            if (delivered == 0) till.release(reservation);
            else settle(ChatUsage.NONE, false);
            throw e;
        }
        if (!end.succeeded()) {
            till.release(reservation);
            throw new RefusedException(ChatCompletions.upstreamRefusal(end.status(), end.refusalBody()));
        }
        IOException left = clientLeft;
        if (left != null) {
            settle(end.usage(), false);
            throw left;
        }
        byte[] last = ending();
        keep(last);
        settle(end.usage(), true);
        sink.send(last);
    }

    private boolean chunk(EventStream.Sink sink, byte[] data) {
        byte[] event = event(data);
        if (isUsageOnly(data)) {
            usageEvent = event;
            return true;
        }
        if (delivered + 1 > heldOutput() && !extended()) {
            moneyEnded = true;
            return false;
        }
        if (delivered == 0 && servedBy != null) sink.header(Governed.SERVED_BY, servedBy);
        try {
            sink.send(event);
        } catch (IOException e) {
            clientLeft = e;
            return false;
        }
        delivered++;
        keep(event);
        return true;
    }

    private boolean extended() {
        Map<Meter, Long> atMost = new EnumMap<>(reservation.atMost());
        atMost.merge(Meter.OUTPUT_TOKENS, ChatCompletions.BLOCK, Long::sum);
        return switch (till.extend(reservation, soFar(), atMost)) {
            case Extension.Extended(Reservation longer) -> {
                reservation = longer;
                yield true;
            }
            case Refused _ -> false;
        };
    }

    private void settle(ChatUsage reported, boolean completed) {
        Map<Meter, Long> units = soFar();
        if (completed && !moneyEnded) {
            ChatUsage usage = reported.reported() ? reported : counted(reported.outputTokens());
            units = ChatCompletions.delivered(model, usage, covering(usage));
        } else if (reported.reported()) {
            // our own count of what was handed over, which an event is only a guess at
            units = ChatCompletions.delivered(model, reported, reservation.atMost());
        }
        till.settleDelivered(reservation, units, completed, completed ? storedAnswer() : null);
    }

    /** An upstream that puts several tokens into one event has delivered more than was counted: they are held before they are charged. */
    private Map<Meter, Long> covering(ChatUsage reported) {
        Map<Meter, Long> atMost = new EnumMap<>(reservation.atMost());
        if (reported.outputTokens() <= heldOutput()) return atMost;
        atMost.put(Meter.OUTPUT_TOKENS, Math.min(reported.outputTokens(), ChatCompletions.mostOutput(model, request)));
        if (till.extend(reservation, soFar(), atMost) instanceof Extension.Extended(Reservation longer))
            reservation = longer;
        return atMost;
    }

    /** Our own count: an event is a token, and the prompt a quarter of its bytes. */
    private Map<Meter, Long> soFar() {
        return ChatCompletions.delivered(model, counted(delivered), reservation.atMost());
    }

    private ChatUsage counted(long output) {
        return new ChatUsage(ChatCompletions.estimated(request.textBytes()), 0, output, false);
    }

    private long heldOutput() {
        return reservation.atMost().getOrDefault(Meter.OUTPUT_TOKENS, Long.MAX_VALUE);
    }

    private byte[] ending() {
        ByteArrayOutputStream last = new ByteArrayOutputStream();
        if (moneyEnded) last.writeBytes(MONEY_ENDED);
        byte[] usage = usageEvent;
        if (usage != null && request.includeUsage()) last.writeBytes(usage);
        last.writeBytes(DONE);
        return last.toByteArray();
    }

    private void keep(byte[] event) {
        if (kept != null && kept.size() <= StoredAnswer.LARGEST_KEPT) kept.writeBytes(event);
    }

    private @Nullable StoredAnswer storedAnswer() {
        return kept == null || kept.size() > StoredAnswer.LARGEST_KEPT
                ? null
                : new StoredAnswer(200, EVENT_STREAM, kept.toByteArray());
    }

    private static byte[] event(byte[] data) {
        byte[] event = new byte[data.length + 8];
        System.arraycopy("data: ".getBytes(StandardCharsets.US_ASCII), 0, event, 0, 6);
        System.arraycopy(data, 0, event, 6, data.length);
        event[event.length - 2] = '\n';
        event[event.length - 1] = '\n';
        return event;
    }

    /** The chunk that OpenAI's servers append when usage is asked for: it has no choices. */
    private static boolean isUsageOnly(byte[] data) {
        String text = new String(data, 0, Math.min(data.length, 4096), StandardCharsets.UTF_8);
        return text.contains("\"usage\"") && text.replace(" ", "").contains("\"choices\":[]");
    }
}
