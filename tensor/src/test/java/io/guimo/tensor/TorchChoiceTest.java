package io.guimo.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TorchChoiceTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path cache;

    @Test
    void of_storedChoice_isTakenUnlessTheSettingsSayOtherwise() throws Exception {
        Files.writeString(
                cache.resolve("torch-choice.properties"), "machine=" + machine() + "\nblas=openblas\nthreads=3\n");

        assertThat(TorchChoice.of(TorchSettings.measured(cache))).isEqualTo(new TorchChoice(Blas.OPENBLAS, 3));
        assertThat(TorchChoice.of(new TorchSettings(cache, null, 2))).isEqualTo(new TorchChoice(Blas.OPENBLAS, 2));
    }

    @Test
    void of_choiceMeasuredBesideOtherWork_isGoodEnoughToServe() throws Exception {
        Path file = cache.resolve("torch-choice.properties");
        String stored = "machine=" + machine() + "\nblas=openblas\nthreads=3\nbusy=true\n";
        Files.writeString(file, stored);
        assertThat(TorchChoice.of(TorchSettings.serving(cache))).isEqualTo(new TorchChoice(Blas.OPENBLAS, 3));
        assertThat(file).hasContent(stored);
    }

    @ParameterizedTest
    @ValueSource(strings = {"machine=another\nblas=openblas\nthreads=99\n", "blas=no such", "busy=true"})
    @Tag("long") // four child processes of some seconds
    void of_otherMachinesDamagedOrBusyChoice_isMeasuredAndStored(String wrong) throws Exception {
        Path file = cache.resolve("torch-choice.properties");
        String stale =
                wrong.startsWith("machine") ? wrong : "machine=" + machine() + "\nblas=openblas\nthreads=99\n" + wrong;
        Files.writeString(file, stale);
        TorchChoice measured = TorchChoice.of(TorchSettings.measured(cache));
        assertThat(measured.threads()).isBetween(1, Runtime.getRuntime().availableProcessors());
        assertThat(Files.readString(file))
                .contains("threads=" + measured.threads())
                .contains(" s\n");
        if (Files.readString(file).contains("busy=false")) {
            assertThat(TorchChoice.of(TorchSettings.measured(cache))).isEqualTo(measured);
        }
    }

    private static String machine() {
        return Torch.platform() + " " + Runtime.getRuntime().availableProcessors() + " processors";
    }
}
