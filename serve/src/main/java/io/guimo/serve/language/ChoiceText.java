package io.guimo.serve.language;

import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.GenerationEnd;
import io.guimo.inference.generate.TextAssembler;
import io.guimo.text.ToolCall;
import io.guimo.text.ToolCallEvent;
import io.guimo.text.ToolCallParser;
import io.guimo.text.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** One answer as its tokens become text, and how much of it has been given out. Used by one thread. */
final class ChoiceText {
    /**
     * What can be given out.
     *
     * @param events text, and what is known of calls of tools
     * @param tokens those all of whose text is out now and was not before; events and tokens need not come together
     */
    record Delta(List<ToolCallEvent> events, List<GeneratedToken> tokens) {
        static final Delta NONE = new Delta(List.of(), List.of());

        Delta {
            events = List.copyOf(events);
            tokens = List.copyOf(tokens);
        }

        boolean isEmpty() {
            return events.isEmpty();
        }

        /** All that is beside the calls. */
        String text() {
            StringBuilder text = new StringBuilder();
            for (ToolCallEvent event : events) if (event instanceof ToolCallEvent.Text(String part)) text.append(part);
            return text.toString();
        }

        /** All calls, in order. */
        List<ToolCall> calls() {
            List<ToolCall> calls = new ArrayList<>();
            for (ToolCallEvent event : events) {
                switch (event) {
                    case ToolCallEvent.Begin(String id, String name) -> calls.add(new ToolCall(id, name, ""));
                    case ToolCallEvent.Arguments(String json) -> {
                        ToolCall last = calls.removeLast();
                        calls.add(new ToolCall(last.id(), last.name(), last.arguments() + json));
                    }
                    case ToolCallEvent.Text _, ToolCallEvent.End _ -> {}
                }
            }
            return calls;
        }
    }

    /** So many tokens' text ends at this character of what the assembler gave out. */
    private record Place(int tokens, long characters) {}

    private final Vocabulary vocabulary;
    private final TextAssembler assembler;
    private final Queue<GeneratedToken> held = new ArrayDeque<>();
    private final List<String> stops;

    /** What was added, where there are stop strings to tell apart. */
    private final ByteArrayOutputStream added = new ByteArrayOutputStream();

    private final @Nullable ToolCallParser parser;
    private final boolean severalCalls;

    /** Of texts that are with the parser, or told of. */
    private final Queue<Place> places = new ArrayDeque<>();

    private long characters;
    private int released;

    /** Whether the answer ended with its only call. */
    private boolean calledOnce;

    /** @param calls how calls of tools are found in it; null: it is all text */
    ChoiceText(Vocabulary vocabulary, List<String> stops, @Nullable Calls calls) {
        parser = calls == null ? null : calls.parser();
        severalCalls = calls == null || calls.several();
        this.vocabulary = vocabulary;
        this.stops = stops;
        assembler = new TextAssembler(vocabulary, stops);
    }

    Delta add(GeneratedToken token) {
        held.add(token);
        if (stops.size() > 1) added.writeBytes(vocabulary.bytes(token.id()));
        return delta(assembler.add(token.id()), false);
    }

    /** What was held back, when nothing follows. */
    Delta end() {
        return delta(assembler.end(), true);
    }

    /** Why the answer is over before the engine ends it: a stop string, or the only call that it may have; else null. */
    @Nullable
    Finish over() {
        if (calledOnce) return new Finish.ToolCalls();
        return assembler.stopped() ? new Finish.StopString(stopString()) : null;
    }

    /** Why the answer is over once all of it was told and the engine has ended it. */
    Finish ended(GenerationEnd.Reason reason) {
        if (reason != GenerationEnd.Reason.STOP) return new Finish.Length();
        return parser != null && parser.ended() > 0 ? new Finish.ToolCalls() : new Finish.Stop();
    }

    /** Which stop string that was: the one that was completed first, of several at once the longest. */
    private String stopString() {
        if (stops.size() == 1) return stops.getFirst();
        // a byte is a character here, so that a stop string is found wherever its bytes are
        String text = added.toString(StandardCharsets.ISO_8859_1);
        return stops.stream()
                .filter(s -> text.contains(bytesOf(s)))
                .min(Comparator.<String>comparingInt(
                                s -> text.indexOf(bytesOf(s)) + bytesOf(s).length())
                        .thenComparing(Comparator.comparingInt(String::length).reversed()))
                .orElseThrow();
    }

    private static String bytesOf(String stop) {
        return new String(stop.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    /** Tokens that were added. */
    int tokens() {
        return assembler.tokens();
    }

    /** Tokens all of whose text was given out. */
    int released() {
        return released;
    }

    /** Tokens wait for a delta that says something: what the client cannot read is not told of. */
    private Delta delta(String text, boolean last) {
        if (calledOnce) return Delta.NONE;
        if (!text.isEmpty()) {
            characters += text.length();
            places.add(new Place(assembler.releasedTokens(), characters));
        }
        List<ToolCallEvent> events = events(text, last);
        if (events.isEmpty()) return Delta.NONE;
        long told = characters - (parser == null || calledOnce ? 0 : parser.held());
        List<GeneratedToken> out = new ArrayList<>();
        while (!places.isEmpty() && places.element().characters <= told) {
            for (int upTo = places.remove().tokens; released < upTo; released++) out.add(held.remove());
        }
        return new Delta(events, out);
    }

    private List<ToolCallEvent> events(String text, boolean last) {
        if (parser == null) return text.isEmpty() ? List.of() : List.of(new ToolCallEvent.Text(text));
        List<ToolCallEvent> events = new ArrayList<>(parser.add(text));
        if (last) events.addAll(parser.end());
        int end = severalCalls ? -1 : events.indexOf(new ToolCallEvent.End());
        if (end < 0) return events;
        calledOnce = true;
        return events.subList(0, end + 1);
    }
}
