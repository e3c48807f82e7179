package io.guimo.launch;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "check",
        description = "Check a business file, or print the JSON Schema of such files.",
        mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {
    @ParentCommand
    Main main = new Main();

    @Spec
    @Nullable
    CommandSpec spec;

    @Parameters(
            arity = "0..1",
            defaultValue = "examples/shop",
            paramLabel = "BUSINESS",
            description = "Business file or its folder (default: ${DEFAULT-VALUE}).")
    Path business = Path.of("examples/shop");

    @Option(names = "--schema", description = "Print the JSON Schema of business files instead.")
    boolean schema;

    @Override
    public Integer call() throws IOException {
        var out = java.util.Objects.requireNonNull(spec).commandLine().getOut();
        if (schema) {
            out.println(schemaText());
            return 0;
        }
        Business read =
                BusinessFile.read(Workplace.resolve(business), new PulledModels(main.options.home()).catalogue());
        out.println(read.business() + ": " + read.models().size() + " models, "
                + read.plans().size() + " plans. The file is in order.");
        return 0;
    }

    static String schemaText() {
        return OwnerClient.JSON
                .writerWithDefaultPrettyPrinter()
                .writeValueAsString(SettingsSchema.of(Business.class, "Guimo business file"));
    }
}
