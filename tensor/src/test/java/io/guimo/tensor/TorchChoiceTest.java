package io.guimo.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TorchChoiceTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path cache;

    @Test
    void of_storedChoice_isTakenUnlessTheSettingsSayOtherwise() throws Exception {
        String machine = Torch.platform() + " " + Runtime.getRuntime().availableProcessors() + " processors";
        Files.writeString(
                cache.resolve("torch-choice.properties"), "machine=" + machine + "\nblas=openblas\nthreads=3\n");

        assertThat(TorchChoice.of(TorchSettings.measured(cache))).isEqualTo(new TorchChoice(Blas.OPENBLAS, 3));
        assertThat(TorchChoice.of(new TorchSettings(cache, null, 2))).isEqualTo(new TorchChoice(Blas.OPENBLAS, 2));
    }

    @Test
    @Tag("long") // four child processes of some seconds
    void of_otherMachinesOrDamagedChoice_isMeasuredAndStored() throws Exception {
        Path file = cache.resolve("torch-choice.properties");
        Files.writeString(file, "machine=another\nblas=openblas\nthreads=3\n");
        TorchChoice measured = TorchChoice.of(TorchSettings.measured(cache));
        assertThat(measured.threads()).isBetween(1, Runtime.getRuntime().availableProcessors());
        assertThat(Files.readString(file))
                .contains("threads=" + measured.threads())
                .contains(" s\n");
        assertThat(TorchChoice.of(TorchSettings.measured(cache))).isEqualTo(measured);
    }
}
