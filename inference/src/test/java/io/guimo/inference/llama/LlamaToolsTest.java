package io.guimo.inference.llama;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.guimo.inference.generate.Constraint;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.GenerationEnd;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.Sampling;
import io.guimo.inference.generate.SchedulerSettings;
import io.guimo.inference.generate.TextAssembler;
import io.guimo.inference.generate.TokenStream;
import io.guimo.model.gguf.GgufFile;
import io.guimo.model.gguf.GgufTokenizer;
import io.guimo.text.ChatMessage;
import io.guimo.text.ChatTemplate;
import io.guimo.text.Tokenizer;
import io.guimo.text.ToolCallEvent;
import io.guimo.text.ToolCallParser;
import io.guimo.text.ToolDefinition;
import io.guimo.text.ToolFormat;
import io.guimo.text.ToolsInText;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** SmolLM2, whose template has no place for tools, in a worker: an answer that must call a tool does. */
class LlamaToolsTest {
    private static final String SCHEMA =
            "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\",\"maxLength\":40},\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":14}},"
                    + "\"required\":[\"city\",\"days\"],\"additionalProperties\":false}";
    private static final List<ToolDefinition> TOOLS =
            List.of(new ToolDefinition("forecast", "The weather of a city on the next days", SCHEMA));

    private static Tokenizer tokenizer;
    private static LlamaTextGenerator engine;
    private static int[] prompt;

    @BeforeAll
    static void open() throws Exception {
        Path gguf = LlamaParts.smolLm2();
        GgufTokenizer read;
        try (GgufFile file = GgufFile.open(gguf)) {
            read = GgufTokenizer.of(file);
        }
        tokenizer = Tokenizer.of(read.json(), 8192, Path.of("target/tools-tokenizer"));
        ChatTemplate template = ChatTemplate.of(
                read.chatTemplate().orElseThrow(), Map.of(), tokenizer.specialTokens(), InstantSource.system());
        assertThat(ToolFormat.of(template.source())).isEmpty();
        List<ChatMessage> messages =
                List.of(ChatMessage.of("user", "What is the weather in Paris during the next 3 days?"));
        prompt = tokenizer.encode(template.render(ToolsInText.written(messages, TOOLS), List.of(), true));
        engine = new LlamaTextGenerator(
                new LlamaTextGenerator.Model(
                        LlamaParts.llamaCpp(),
                        gguf,
                        new LlamaSettings(1024, 1024, 8, 128, 1),
                        new SchedulerSettings("smol", "1", 8, 32, 32, 4096),
                        tokenizer.vocabulary()),
                tokenizer,
                Optional.of(template),
                read.endTokens(),
                fraction -> {});
    }

    @AfterAll
    static void close() {
        engine.close();
        tokenizer.close();
    }

    @ParameterizedTest
    @EnumSource(ToolFormat.class)
    void answer_heldToACall_itsArgumentsValidate(ToolFormat format) throws Exception {
        ToolFormat.Frame frame = format.frame(TOOLS, false);
        Constraint constraint =
                new Constraint.Framed(frame.prefix(), frame.schema(), frame.suffix(), frame.separator(), frame.most());
        for (double temperature : new double[] {0, 1.5}) {
            Sampling sampling = new Sampling(temperature, 0, 1, 0, 0, 0, 1, Map.of(), 9L);
            ToolCallParser parser = format.parser(Set.of("forecast"), () -> "call");
            List<ToolCallEvent> events = new ArrayList<>();
            TextAssembler text = new TextAssembler(tokenizer.vocabulary(), List.of());
            try (TokenStream stream = engine.generate(new GenerationRequest(
                    prompt, 150, sampling, -1, constraint, engine.endTokens(), "tools", 0, null, null))) {
                for (Optional<GeneratedToken> token = stream.next(); token.isPresent(); token = stream.next()) {
                    events.addAll(parser.add(text.add(token.get().id())));
                }
                assertThat(stream.end().reason()).isEqualTo(GenerationEnd.Reason.STOP);
            }
            events.addAll(parser.add(text.end()));
            events.addAll(parser.end());
            assertThat(events.getFirst()).isEqualTo(new ToolCallEvent.Begin("call", "forecast"));
            assertThat(events.getLast()).isEqualTo(new ToolCallEvent.End());
            StringBuilder arguments = new StringBuilder();
            for (ToolCallEvent event : events.subList(1, events.size() - 1)) {
                arguments.append(((ToolCallEvent.Arguments) event).json());
            }
            assertThat(SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                            .getSchema(SCHEMA)
                            .validate(arguments.toString(), InputFormat.JSON))
                    .as(arguments.toString())
                    .isEmpty();
        }
    }
}
