package io.guimo.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.model.Started;
import io.guimo.tensor.NativeMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecoderConfigTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    private static final String LLAMA =
            "'model_type':'llama','vocab_size':40,'max_position_embeddings':64,'hidden_size':16,'intermediate_size':24,"
                    + "'num_hidden_layers':2,'num_attention_heads':4,";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'model_type':'mamba'} | model_type mamba is none of gpt2, llama, qwen2 and qwen3",
                "{'vocab_size':40} | model_type  is none of",
                "{'model_type':7} | text belongs there",
                "[] | no JSON object",
                "{ | not JSON",
                "{'model_type':'llama'} | hidden_size is missing",
                "{LLAMA'num_key_value_heads':3} | 4 heads of queries do not divide by 3 heads of keys",
                "{LLAMA'num_key_value_heads':0} | do not divide by 0",
                "{LLAMA'num_key_value_heads':8} | do not divide by 8",
                "{LLAMA'head_dim':3} | cannot be rotated",
                "{LLAMA'hidden_act':'gelu'} | hidden_act gelu is not computed here, only silu",
                "{LLAMA'rope_scaling':{'rope_type':'yarn','factor':4}} | rotary scaling yarn is none of",
                "{LLAMA'rope_scaling':{'rope_type':'llama3','factor':4}} | original_max_position_embeddings is missing",
                "{LLAMA'rope_scaling':{'rope_type':'linear','factor':0}} | rotary factor is 0.0",
                "{LLAMA'rope_scaling':7} | not an object",
                "{LLAMA'rope_theta':-1} | rotary base is -1.0",
                "{LLAMA'mlp_bias':true} | mlp_bias true is not computed here",
                "{LLAMA'use_sliding_window':true} | use_sliding_window true is not computed here",
                "{LLAMA'eos_token_id':'x'} | a token's number belongs there",
                "{LLAMA'x':[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]} | not JSON",
                "{'model_type':'llama','vocab_size':1.5,'hidden_size':16,'num_attention_heads':4} | a whole number",
                "{'model_type':'llama','vocab_size':99999999999,'hidden_size':16,'num_attention_heads':4} | a whole number",
                "{'model_type':'llama','vocab_size':-1,'max_position_embeddings':64,'hidden_size':16,'intermediate_size':24,'num_hidden_layers':2,'num_attention_heads':4} | the vocabulary is -1",
                "{'model_type':'llama','vocab_size':40,'max_position_embeddings':64,'hidden_size':16,'intermediate_size':24,'num_hidden_layers':2,'num_attention_heads':0} | the number of heads is 0",
                "{'model_type':'gpt2','vocab_size':40,'n_positions':8,'n_embd':10,'n_layer':1,'n_head':4} | 10 features do not divide into 4 heads",
                "{'model_type':'gpt2','vocab_size':40,'n_positions':8,'n_embd':2147483647,'n_layer':1,'n_head':1} | integer overflow",
                "{'model_type':'gpt2','vocab_size':40,'n_positions':8,'n_embd':8,'n_layer':2000000000,'n_head':1} | the number of layers is 2000000000",
                // 10¹² parameters
                "{'model_type':'llama','vocab_size':128000,'max_position_embeddings':64,'hidden_size':32768,'intermediate_size':131072,'num_hidden_layers':58,'num_attention_heads':256} | at most 200000000000"
            })
    void read_notADecoderThatRunsHere_refusedWithTheReason(String json, String reason) throws IOException {
        long before = NativeMemory.liveHandles();
        assertThatThrownBy(() -> DecoderConfig.read(write(json.replace("LLAMA", LLAMA))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("describes no decoder that runs here")
                .hasMessageContaining(reason);
        assertThat(NativeMemory.liveHandles()).isEqualTo(before);
    }

    @Test
    void read_olderSpellingOfTheRotation_isTheSame() throws IOException {
        DecoderConfig older = DecoderConfig.read(write("{" + LLAMA
                + "'rope_theta':500000,'rope_scaling':{'type':'llama3','factor':8,'low_freq_factor':1,'high_freq_factor':4,"
                + "'original_max_position_embeddings':16},'num_key_value_heads':2,'eos_token_id':[2]}"));
        assertThat(older).isEqualTo(DecoderConfig.read(Recorded.folder("llama").resolve("config.json")));
    }

    @Test
    void drawn_largerThanThisMachine_refusedBeforeMemoryIsTaken() {
        LlamaConfig config = new LlamaConfig(
                LlamaConfig.Family.LLAMA,
                128_000,
                64,
                16_384,
                65_536,
                40,
                64,
                64,
                256,
                1e-5,
                1e4,
                new RotaryScaling.None(),
                true,
                false,
                0,
                java.util.Set.of());
        assertThat(config.parameterCount()).isGreaterThan(100_000_000_000L);
        Started.inScope(() -> {
            long before = NativeMemory.liveBytes();
            assertThatThrownBy(() -> Decoder.drawn(config)).hasMessageContaining("MiB of memory");
            assertThat(NativeMemory.liveBytes() - before).isLessThan(50L << 20);
        });
    }

    private Path write(String json) throws IOException {
        Path file = folder.resolve("config.json");
        Files.writeString(file, json.replace('\'', '"'));
        return file;
    }
}
