package io.guimo.serve.language;

import io.guimo.inference.TextGenerator;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.ErrorAnswers;
import io.guimo.serve.http.Refusal;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** OpenAI's {@code text_completion}, whole and in chunks, with log probabilities in the older shape. */
final class CompletionsFormat implements WireFormat {
    private static final byte[] DONE = "data: [DONE]\n\n".getBytes(StandardCharsets.US_ASCII);
    private static final String OBJECT = "text_completion";

    private final String id;
    private final long created;
    private final TextGenerator model;
    private final List<String> echoes;
    private final boolean logprobs;
    private final boolean includeUsage;

    /** Characters of each choice's text before its next token. */
    private final Map<Integer, Integer> offsets = new TreeMap<>();

    /** @param echoes what each choice's text begins with; empty for none */
    CompletionsFormat(
            String request,
            long created,
            TextGenerator model,
            List<String> echoes,
            boolean logprobs,
            boolean includeUsage) {
        this.id = "cmpl-" + request;
        this.created = created;
        this.model = model;
        this.echoes = List.copyOf(echoes);
        this.logprobs = logprobs;
        this.includeUsage = includeUsage;
    }

    @Override
    public byte[] begin(TokenUsage promptOnly) {
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        for (int choice = 0; choice < echoes.size(); choice++) {
            events.writeBytes(chunk(new TextChoice(echoes.get(choice), choice, null, null)));
        }
        return events.toByteArray();
    }

    @Override
    public byte[] delta(int choice, ChoiceText.Delta delta) {
        return chunk(new TextChoice(delta.text(), choice, told(choice, delta.tokens()), null));
    }

    @Override
    public byte[] finished(int choice, Finish finish) {
        return chunk(new TextChoice("", choice, null, ChatCompletionsFormat.reason(finish)));
    }

    @Override
    public byte[] end(TokenUsage usage) {
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        if (includeUsage) events.writeBytes(ServerEvents.data(completion(List.of(), OpenAiUsage.of(usage))));
        events.writeBytes(DONE);
        return events.toByteArray();
    }

    @Override
    public byte[] failed(Refusal refusal) {
        ByteArrayOutputStream event = new ByteArrayOutputStream();
        ServerEvents.appendData(event, ErrorAnswers.of(refusal).bytes());
        return event.toByteArray();
    }

    @Override
    public Content whole(List<Whole> answers, TokenUsage usage) {
        List<TextChoice> choices = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            Whole answer = answers.get(i);
            choices.add(new TextChoice(
                    (echoes.isEmpty() ? "" : echoes.get(i)) + answer.answer().text(),
                    i,
                    told(i, answer.answer().tokens()),
                    ChatCompletionsFormat.reason(answer.finish())));
        }
        return Content.json(completion(choices, OpenAiUsage.of(usage)));
    }

    private byte[] chunk(TextChoice choice) {
        if (includeUsage) return ServerEvents.data(completion(List.of(choice), null));
        return ServerEvents.data(new TextChunk(
                id, OBJECT, created, model.name(), ChatCompletionsFormat.fingerprint(model), List.of(choice)));
    }

    private TextCompletion completion(List<TextChoice> choices, @Nullable OpenAiUsage usage) {
        return new TextCompletion(
                id, OBJECT, created, model.name(), ChatCompletionsFormat.fingerprint(model), choices, usage);
    }

    private @Nullable LegacyLogprobs told(int choice, List<GeneratedToken> tokens) {
        if (!logprobs) return null;
        LegacyLogprobs told =
                new LegacyLogprobs(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (GeneratedToken token : tokens) {
            byte[] bytes = model.vocabulary().bytes(token.id());
            told.tokens.add(name(bytes));
            told.tokenLogprobs.add(Logprobs.finite(token.logprob()));
            Map<String, Double> top = new LinkedHashMap<>();
            for (GeneratedToken.Alternative other : token.alternatives()) {
                top.put(name(model.vocabulary().bytes(other.id())), Logprobs.finite(other.logprob()));
            }
            told.topLogprobs.add(top);
            told.textOffset.add(offsets.getOrDefault(choice, 0));
            offsets.merge(choice, charactersBegun(bytes), Integer::sum);
        }
        return told;
    }

    /** A token that is no whole characters has no text of its own: OpenAI writes its bytes. */
    private static String name(byte[] token) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(token))
                    .toString();
        } catch (CharacterCodingException e) {
            StringBuilder name = new StringBuilder("bytes:");
            for (byte b : token) name.append("\\x").append(String.format("%02x", b & 0xff));
            return name.toString();
        }
    }

    private static int charactersBegun(byte[] utf8) {
        int begun = 0;
        for (byte b : utf8) if ((b & 0xc0) != 0x80) begun++;
        return begun;
    }

    record TextChoice(
            String text,
            int index,
            @Nullable LegacyLogprobs logprobs,
            @Nullable String finishReason) {}

    /** One entry of each list for each token. */
    record LegacyLogprobs(
            List<String> tokens,
            List<Double> tokenLogprobs,
            List<Map<String, Double>> topLogprobs,
            List<Integer> textOffset) {}

    record TextChunk(
            String id, String object, long created, String model, String systemFingerprint, List<TextChoice> choices) {}

    /** @param usage null in the chunks of a stream that ends with one that has it */
    record TextCompletion(
            String id,
            String object,
            long created,
            String model,
            String systemFingerprint,
            List<TextChoice> choices,
            @Nullable OpenAiUsage usage) {}
}
