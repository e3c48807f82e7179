package io.guimo.model.decoder;

import io.guimo.model.DurableFile;
import io.guimo.model.Part;
import io.guimo.model.Safetensors;
import io.guimo.model.gguf.GgufTensorType;
import io.guimo.model.gguf.GgufValue;
import io.guimo.model.gguf.GgufWriter;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.json.JsonMapper;

/**
 * The low-rank adapters of a decoder: while they are attached, they alone are trained, and {@link Part#state} holds them alone. Folders are PEFT's
 * ({@code adapter_config.json}, {@code adapter_model.safetensors}), so that others read ours and we theirs.
 */
public final class Lora {
    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final String PREFIX = "base_model.model.";
    /** Entries of PEFT's that change what is computed; empty in an adapter as the paper has it. */
    private static final List<String> VARIANTS = List.of(
            "rank_pattern",
            "alpha_pattern",
            "modules_to_save",
            "layers_to_transform",
            "layer_replication",
            "target_parameters",
            "trainable_token_indices",
            "exclude_modules");

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Decoder network;
    private final LoraSettings settings;
    private final Map<String, Linear> adapted;

    private Lora(Decoder network, LoraSettings settings, Map<String, Linear> adapted) {
        this.network = network;
        this.settings = settings;
        this.adapted = adapted;
    }

    /**
     * Freezes a network and adds adapters that change nothing yet.
     *
     * @throws IllegalArgumentException when a name is none of the network's matrices; nothing has changed then
     */
    public static Lora attach(Decoder network, LoraSettings settings) {
        Map<String, Linear> adapted = new LinkedHashMap<>();
        Set<String> there = new TreeSet<>();
        Set<String> found = new TreeSet<>();
        for (Map.Entry<String, Part> entry : network.allParts().entrySet()) {
            if (!(entry.getValue() instanceof Linear linear)) continue;
            String last = entry.getKey().substring(entry.getKey().lastIndexOf('.') + 1);
            there.add(last);
            if (!settings.on().contains(last)) continue;
            found.add(last);
            adapted.put(entry.getKey(), linear);
        }
        if (!found.containsAll(settings.on())) {
            Set<String> unknown = new TreeSet<>(settings.on());
            unknown.removeAll(found);
            throw new IllegalArgumentException("the network has no matrix " + unknown + "; it has " + there);
        }
        network.freeze(_ -> true);
        adapted.values().forEach(linear -> linear.adapt(settings.rank(), settings.alpha(), settings.dropout()));
        return new Lora(network, settings, adapted);
    }

    /**
     * Attaches the adapters of a folder of PEFT's.
     *
     * @throws IllegalArgumentException when it holds something else, or does not fit the network, which is as before then
     */
    public static Lora read(Path folder, Decoder network) {
        Lora lora = attach(network, readSettings(folder.resolve(CONFIG)));
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            Map<String, Tensor> stored =
                    Safetensors.read(folder.resolve(WEIGHTS)).tensors();
            Map<String, Tensor> own = new LinkedHashMap<>();
            network.parameters().forEach((name, tensor) -> own.put(PREFIX + name, tensor));
            if (!stored.keySet().equals(own.keySet())) {
                Set<String> missing = new TreeSet<>(own.keySet());
                missing.removeAll(stored.keySet());
                Set<String> unknown = new TreeSet<>(stored.keySet());
                unknown.removeAll(own.keySet());
                throw new IllegalArgumentException(
                        "this adapter belongs to another network: missing " + missing + ", unknown " + unknown);
            }
            own.forEach((name, tensor) -> {
                Tensor source = stored.getOrDefault(name, tensor);
                if (!Arrays.equals(source.shape(), tensor.shape())) {
                    throw new IllegalArgumentException(name + " is " + source + ", the network takes " + tensor);
                }
            });
            own.forEach((name, tensor) -> tensor.copyInPlace(stored.getOrDefault(name, tensor)));
            return lora;
        } catch (RuntimeException refused) {
            lora.detach();
            throw refused;
        }
    }

    private static LoraSettings readSettings(Path file) {
        ConfigFile config = ConfigFile.read(file);
        config.requireText("peft_type", "LORA");
        config.requireText("bias", "none");
        for (String variant : List.of("use_dora", "use_rslora", "use_qalora", "lora_bias")) {
            config.requireFlag(variant, false);
        }
        for (String variant : VARIANTS) config.requireEmpty(variant);
        try {
            return new LoraSettings(
                    config.whole("r"),
                    config.number("lora_alpha", 8),
                    config.number("lora_dropout", 0),
                    config.texts("target_modules"));
        } catch (IllegalArgumentException impossible) {
            throw config.refused(impossible);
        }
    }

    public LoraSettings settings() {
        return settings;
    }

    /** Makes the adapters a part of the matrices, so that they cost nothing; they stay attached. */
    public void merge() {
        adapted.values().forEach(Linear::merge);
    }

    /** Undoes {@link #merge}, up to rounding. */
    public void unmerge() {
        adapted.values().forEach(Linear::unmerge);
    }

    /** Drops the adapters; the network is trained as a whole again. */
    public void detach() {
        adapted.values().forEach(Linear::drop);
        network.unfreeze();
    }

    /**
     * Writes a folder that PEFT reads.
     *
     * @param baseModel name or path of the network that it belongs to, as transformers finds it
     */
    public void write(Path folder, String baseModel) {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("peft_type", "LORA");
        config.put("task_type", "CAUSAL_LM");
        config.put("base_model_name_or_path", baseModel);
        config.put("r", settings.rank());
        config.put("lora_alpha", settings.alpha());
        config.put("lora_dropout", settings.dropout());
        config.put("target_modules", settings.on().stream().sorted().toList());
        config.put("fan_in_fan_out", adapted.values().stream().anyMatch(Linear::isTransposed));
        config.put("bias", "none");
        config.put("inference_mode", true);
        try {
            Files.createDirectories(folder);
            byte[] json = JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(config);
            DurableFile.replace(folder.resolve(CONFIG), out -> out.write(json));
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot write " + folder + ": " + failed.getMessage(), failed);
        }
        Map<String, Tensor> weights = new LinkedHashMap<>();
        factors().forEach((name, tensor) -> weights.put(PREFIX + name, tensor));
        Safetensors.write(folder.resolve(WEIGHTS), weights, Map.of("format", "pt"));
    }

    /** Writes an adapter that llama.cpp loads beside the network's own GGUF file. */
    public void writeGguf(Path file) {
        DecoderConfig config = network.config();
        GgufNames names = GgufNames.of(config);
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.type", new GgufValue.Text("adapter"));
        metadata.put("general.architecture", new GgufValue.Text(GgufDecoder.architecture(config)));
        metadata.put("adapter.type", new GgufValue.Text("lora"));
        metadata.put("adapter.lora.alpha", new GgufValue.Real(GgufValue.ValueType.FLOAT32, settings.alpha()));
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            List<GgufWriter.Content> contents = new ArrayList<>();
            factors().forEach((name, tensor) -> {
                boolean first = name.endsWith(".lora_A.weight");
                String matrix = name.replaceAll("\\.lora_[AB]\\.weight$", ".weight");
                String theirs = names.toGguf(matrix)
                        .orElseThrow(() -> new IllegalStateException(matrix + " has no name in GGUF files"));
                contents.add(new GgufWriter.Content(
                        theirs + (first ? ".lora_a" : ".lora_b"),
                        GgufTensorType.F32,
                        first ? tensor : GgufDecoder.permutedRows(config, matrix, tensor, true)));
            });
            GgufWriter.write(file, metadata, contents);
        }
    }

    private Map<String, Tensor> factors() {
        Map<String, Tensor> factors = new LinkedHashMap<>();
        network.parameters().forEach((name, tensor) -> {
            if (name.contains(".lora_A.") || name.contains(".lora_B.")) factors.put(name, tensor);
        });
        return factors;
    }
}
