/**
 * Decoders: networks that continue a sequence of tokens, one file an architecture, each like its paper.
 *
 * <p>Read {@link io.guimo.model.decoder.LlamaDecoder} first, then {@link io.guimo.model.decoder.Gpt2}. {@link io.guimo.model.decoder.Decoder} is what
 * both do: logits for whole sequences in training ({@link io.guimo.model.decoder.Decoder#forward}) and for single steps of many sequences over kept keys
 * and values when they speak ({@link io.guimo.model.decoder.Decoder#step}, {@link io.guimo.model.decoder.KeyValueCache}). {@link
 * io.guimo.model.decoder.DecoderConfig} is a {@code config.json}; {@link io.guimo.model.decoder.HuggingFaceFolder} and {@link
 * io.guimo.model.decoder.GgufDecoder} are the files that hold a network.
 *
 * <p>Names of parameters are those of Hugging Face's transformers. Letters: B sequences, T tokens of a sequence, N tokens of a step, S keys, E features,
 * H heads of queries, G heads of keys and values, R = H / G, D features of a head, F features inside the feed-forward part, V tokens known.
 *
 * <p>Invariant: nothing of a file is believed; sizes are bounded before memory is taken, names and shapes are compared before a number is read.
 */
@NullMarked
package io.guimo.model.decoder;

import org.jspecify.annotations.NullMarked;
