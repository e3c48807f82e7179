package io.guimo.serve.language;

import io.guimo.inference.TextGenerator;
import io.guimo.inference.generate.Constraint;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.Sampling;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is to be generated, whatever wire format asked for it. The choices of the first prompt come first.
 *
 * @param prompts token ids; each fits the model's context with at least one token of answer
 * @param choicesPerPrompt answers to each prompt
 * @param maxTokens of each answer, as asked; null: as many as the context has room for
 * @param sampling of the first choice; the seed of each further one is one more
 * @param stops texts that end an answer and are no part of it
 * @param topLogprobs as {@link GenerationRequest#topLogprobs}
 * @param calls how calls of tools are found in the answers; null: there are none
 * @param scope whose prompts may share their beginnings: the caller's organisation
 */
record Job(
        TextGenerator model,
        List<int[]> prompts,
        int choicesPerPrompt,
        @Nullable Integer maxTokens,
        Sampling sampling,
        List<String> stops,
        int topLogprobs,
        @Nullable Constraint constraint,
        @Nullable Calls calls,
        String scope) {
    Job {
        prompts = List.copyOf(prompts);
        stops = List.copyOf(stops);
    }

    int choices() {
        return prompts.size() * choicesPerPrompt;
    }

    long promptTokens() {
        return prompts.stream().mapToLong(p -> p.length).sum();
    }

    /** Most tokens of all answers together. */
    long mostOutput() {
        return prompts.stream().mapToLong(this::mostTokens).sum() * choicesPerPrompt;
    }

    private int mostTokens(int[] prompt) {
        int room = model.contextTokens() - prompt.length;
        return maxTokens == null ? room : Math.min(maxTokens, room);
    }

    /** What the engine is asked for each choice. */
    List<GenerationRequest> requests() {
        List<GenerationRequest> requests = new ArrayList<>();
        for (int choice = 0; choice < choices(); choice++) {
            int[] prompt = prompts.get(choice / choicesPerPrompt);
            requests.add(new GenerationRequest(
                    prompt,
                    mostTokens(prompt),
                    seeded(choice),
                    topLogprobs,
                    constraint,
                    model.endTokens(),
                    scope,
                    0,
                    null,
                    null));
        }
        return requests;
    }

    /** Choices of one request differ, and repeat together. */
    private Sampling seeded(int choice) {
        Long seed = sampling.seed();
        if (seed == null || choice == 0) return sampling;
        return new Sampling(
                sampling.temperature(),
                sampling.topK(),
                sampling.topP(),
                sampling.minP(),
                sampling.frequencyPenalty(),
                sampling.presencePenalty(),
                sampling.repetitionPenalty(),
                sampling.logitBias(),
                seed + choice);
    }
}
