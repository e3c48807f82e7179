package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.guimo.data.Dataset;
import io.guimo.inference.constrain.ConstraintCompiler;
import io.guimo.inference.constrain.RandomSchemas;
import io.guimo.inference.generate.Constraint;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.GenerationEnd;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.Sampling;
import io.guimo.inference.generate.TokenStream;
import io.guimo.text.ChatMessage;
import io.guimo.text.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model of 135 million parameters, packaged and served as any other, answers random schemas: every answer validates. */
class SchemasOfAModelTest {
    private static final SchemaRegistry VALIDATOR =
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

    @TempDir
    Path folder;

    @Test
    void answers_ofTwelveRandomSchemas_validate() throws Exception {
        assertThat(failures(12, 1)).isEmpty();
    }

    @Test
    @Tag("long")
    void answers_ofAThousandRandomSchemas_validate() throws Exception {
        assertThat(failures(1000, 20261125)).isEmpty();
    }

    private List<String> failures(int count, long seed) throws Exception {
        TestPackages packages = new TestPackages(folder);
        Dataset model = Started.catalogued("smollm2-135m-instruct");
        String digest = DecoderPackager.pack(
                packages.store,
                packages.key,
                model.file("model.gguf"),
                "Apache-2.0\n",
                "0.1.0",
                TestPackages.CREATED_AT);
        RandomSchemas schemas = new RandomSchemas(new Random(seed));
        try (TextGenerator generator = (TextGenerator)
                        Started.loader(EngineSettings.standard()).open("chat", "1", packages.verified(digest));
                ExecutorService readers = Executors.newFixedThreadPool(8)) {
            Vocabulary vocabulary = generator.vocabulary();
            ConstraintCompiler compiler = new ConstraintCompiler(vocabulary, generator.endTokens());
            int[] prompt = generator
                    .tokenizer()
                    .encode(generator
                            .chatTemplate()
                            .orElseThrow()
                            .render(List.of(ChatMessage.of("user", "Answer with a JSON example.")), List.of(), true));
            List<Future<Optional<String>>> answers = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                String schema = schemas.next().toString();
                long drawn = i;
                answers.add(readers.submit(() -> failure(generator, compiler, vocabulary, prompt, schema, drawn)));
            }
            List<String> failures = new ArrayList<>();
            for (Future<Optional<String>> answer : answers) answer.get().ifPresent(failures::add);
            return failures;
        }
    }

    private static Optional<String> failure(
            TextGenerator generator,
            ConstraintCompiler compiler,
            Vocabulary vocabulary,
            int[] prompt,
            String schema,
            long seed)
            throws InterruptedException {
        Constraint constraint = new Constraint.JsonSchema(schema);
        int tokens = 40 + compiler.compile(constraint).shortestTokens();
        Sampling sampling = new Sampling(1, 0, 1, 0, 0, 0, 1, Map.of(), seed);
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        try (TokenStream stream = generator.generate(new GenerationRequest(
                prompt, tokens, sampling, -1, constraint, generator.endTokens(), "one", 0, null, null))) {
            for (Optional<GeneratedToken> next = stream.next(); next.isPresent(); next = stream.next()) {
                text.writeBytes(vocabulary.bytes(next.get().id()));
            }
            String answer = text.toString(StandardCharsets.UTF_8);
            if (stream.end().reason() != GenerationEnd.Reason.STOP) {
                return Optional.of(schema + " ended by " + stream.end().reason() + ": " + answer);
            }
            List<?> problems = VALIDATOR
                    .getSchema(schema)
                    .validate(answer, InputFormat.JSON, c -> c.executionConfig(e -> e.formatAssertionsEnabled(true)));
            return problems.isEmpty() ? Optional.empty() : Optional.of(schema + ": " + answer + ": " + problems);
        }
    }
}
