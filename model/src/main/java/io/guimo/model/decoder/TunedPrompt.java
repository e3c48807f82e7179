package io.guimo.model.decoder;

import io.guimo.model.DurableFile;
import io.guimo.model.Module;
import io.guimo.model.Safetensors;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;

/**
 * Prompt tuning (Lester et al. 2021, arXiv 2104.08691): a frozen decoder behind some features that stand before every text as tokens would, and are
 * all that is trained. Folders are PEFT's.
 *
 * <p>P places of the prompt, B sequences, T tokens, E features, V tokens known.
 */
public final class TunedPrompt extends Module {
    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final String PROMPT = "prompt_embeddings"; // PEFT's name
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Decoder network;
    private final int places;
    private final Tensor promptPE;

    /**
     * A prompt that begins as some text, which trains faster than numbers drawn at random (section 3.2 of the paper).
     *
     * @param network frozen from here on; belongs to this module
     * @param text tokens, repeated or cut to fill the places
     */
    public TunedPrompt(Decoder network, int places, int[] text) {
        this(network, beginning(network, places, text));
    }

    private TunedPrompt(Decoder network, Tensor promptPE) {
        network.freeze(_ -> true);
        this.network = part("network", network);
        this.promptPE = parameter(PROMPT, promptPE);
        this.places = Math.toIntExact(promptPE.size(0));
    }

    private static Tensor beginning(Decoder network, int places, int[] text) {
        if (places < 1 || places >= network.config().contextTokens()) {
            throw new IllegalArgumentException("a prompt of " + places + " places; permitted are 1 to "
                    + (network.config().contextTokens() - 1));
        }
        if (text.length == 0) throw new IllegalArgumentException("the text that the prompt begins as is empty");
        int[] tokens =
                IntStream.range(0, places).map(i -> text[i % text.length]).toArray();
        try (TensorScope scope = TensorScope.openWithoutGradients()) {
            return scope.moveOut(network.embed(Tensor.of(tokens, places)).copy());
        }
    }

    /**
     * Reads a folder of PEFT's.
     *
     * @param network frozen from here on and the new module's, unless the folder is refused
     * @throws IllegalArgumentException when it holds something else, or does not fit the network
     */
    public static TunedPrompt read(Path folder, Decoder network) {
        ConfigFile config = ConfigFile.read(folder.resolve(CONFIG));
        config.requireText("peft_type", "PROMPT_TUNING");
        int features = Math.toIntExact(network.embed(Tensor.of(new int[1], 1)).size(-1));
        Map<String, Tensor> stored = Safetensors.read(folder.resolve(WEIGHTS)).tensors();
        Tensor prompt = stored.get(PROMPT);
        long[] shape = {config.whole("num_virtual_tokens"), features};
        if (prompt == null || stored.size() != 1 || !Arrays.equals(prompt.shape(), shape)) {
            throw config.refused("it stands beside " + stored + "; " + PROMPT + Arrays.toString(shape) + " alone fits");
        }
        if (shape[0] < 1 || shape[0] >= network.config().contextTokens()) {
            throw config.refused("its prompt of " + shape[0] + " places does not fit the context");
        }
        return new TunedPrompt(network, prompt);
    }

    /** Writes a folder that PEFT reads; {@code baseModel} as for {@link Lora#write}. */
    public void write(Path folder, String baseModel) {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("peft_type", "PROMPT_TUNING");
        config.put("task_type", "CAUSAL_LM");
        config.put("base_model_name_or_path", baseModel);
        config.put("num_virtual_tokens", places);
        config.put("token_dim", promptPE.size(1));
        config.put("num_layers", network.config().layers());
        config.put("num_transformer_submodules", 1);
        config.put("inference_mode", true);
        try {
            Files.createDirectories(folder);
            byte[] json = JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(config);
            DurableFile.replace(folder.resolve(CONFIG), out -> out.write(json));
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot write " + folder + ": " + failed.getMessage(), failed);
        }
        Safetensors.write(folder.resolve(WEIGHTS), Map.of(PROMPT, promptPE), Map.of("format", "pt"));
    }

    /**
     * @param tokensBT INT64; with the prompt they fit the context
     * @return logits after each token, [B, T, V]
     */
    @Override
    public Tensor forward(Tensor tokensBT) {
        Tensor featuresBTE = network.embed(tokensBT);
        long b = featuresBTE.size(0);
        long t = featuresBTE.size(1);
        Tensor promptBPE = promptPE.to(featuresBTE.dtype())
                .reshape(1, places, featuresBTE.size(2))
                .expand(b, -1, -1);
        return network.forwardEmbedded(Tensor.concatenate(List.of(promptBPE, featuresBTE), 1))
                .narrow(1, places, t);
    }
}
