package io.guimo.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TensorScopeTest {
    private final TorchExecutor executor = Started.TORCH.executor();

    @Test
    void close_scope_endsItsTensors() {
        executor.run(() -> {
            List<Tensor> kept = new ArrayList<>();
            try (TensorScope _ = TensorScope.open()) {
                kept.add(Tensor.scalar(1));
            }
            assertThatThrownBy(() -> kept.getFirst().item())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("scope is closed");
            assertThat(kept.getFirst()).hasToString("Tensor(closed)");
        });
    }

    @Test
    void moveOut_tensor_livesInTheEnclosingScopeOnly() {
        executor.run(() -> {
            Tensor moved;
            try (TensorScope _ = TensorScope.open()) {
                try (TensorScope inner = TensorScope.open()) {
                    moved = inner.moveOut(Tensor.scalar(3));
                }
                assertThat(moved.item()).isEqualTo(3);
            }
            assertThat(moved).hasToString("Tensor(closed)");
        });
    }

    @Test
    void moveOut_nothingEncloses_refused() {
        executor.run(() -> {
            try (TensorScope scope = TensorScope.open()) {
                Tensor tensor = Tensor.scalar(3);
                assertThatThrownBy(() -> scope.moveOut(tensor)).hasMessageContaining("no scope encloses");
            }
        });
    }

    @Test
    void owner_adoptedTensor_livesAsLongAsTheOwner() {
        TensorScope owner = TensorScope.owner();
        Tensor adopted = executor.call(() -> {
            try (TensorScope _ = TensorScope.open()) {
                return owner.adopt(Tensor.scalar(5));
            }
        });
        assertThat((double) executor.call(() -> {
                    try (TensorScope _ = TensorScope.open()) {
                        return adopted.add(1).item();
                    }
                }))
                .isEqualTo(6);
        owner.close();
        assertThat(adopted).hasToString("Tensor(closed)");
        assertThatThrownBy(() -> owner.adopt(adopted)).hasMessageContaining("closed");
    }

    @Test
    void operation_withoutScope_refused() {
        assertThatThrownBy(() -> executor.run(() -> Tensor.scalar(1)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no scope is open");
    }

    @Test
    void open_offTheExecutorOnAnyThread_refused() throws Exception {
        assertThatThrownBy(TensorScope::open).hasMessageContaining("TorchExecutor");
        List<Throwable> thrown = new ArrayList<>();
        Thread.ofVirtual()
                .start(() -> {
                    try (TensorScope _ = TensorScope.open()) {
                        thrown.add(new AssertionError("opened on a virtual thread"));
                    } catch (IllegalStateException refused) {
                        thrown.add(refused);
                    }
                })
                .join();
        assertThat(thrown.getFirst()).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void withoutGradients_nested_restoresTheMode() {
        executor.run(() -> {
            try (TensorScope _ = TensorScope.open()) {
                Tensor parameter = Tensor.full(1, 2).requireGradient();
                try (TensorScope _ = TensorScope.openWithoutGradients()) {
                    try (TensorScope _ = TensorScope.openWithoutGradients()) {
                        parameter.fillInPlace(2); // a parameter may change only where nothing records
                    }
                    parameter.multiplyInPlace(2);
                    assertThatThrownBy(() -> parameter.sum().backward()).isInstanceOf(RuntimeException.class);
                }
                assertThatThrownBy(() -> parameter.fillInPlace(3)).isInstanceOf(RuntimeException.class);
                parameter.sum().backward();
                assertThat(parameter.gradient()).isPresent();
                assertThat(parameter.toFloats()).containsExactly(4, 4);
            }
        });
    }

    @Test
    void steps_thousandsOfThem_nativeMemoryStaysFlat() {
        executor.run(() -> {
            try (TensorScope _ = TensorScope.open()) {
                Tensor weight = Tensor.full(.01f, 256, 256).requireGradient();
                for (int i = 0; i < 200; i++) step(weight);
                long handles = NativeMemory.liveHandles();
                long bytes = NativeMemory.liveBytes();
                for (int i = 0; i < 5_000; i++) step(weight); // about 1 MB of tensors each
                assertThat(NativeMemory.liveHandles()).isEqualTo(handles);
                // the JVM's compilers use the same allocator; a leak would be five gigabytes
                assertThat(NativeMemory.liveBytes() - bytes).isLessThan(16 << 20);
            }
        });
    }

    private static void step(Tensor weight) {
        try (TensorScope _ = TensorScope.open()) {
            Tensor x = Tensor.full(1, 64, 256);
            x.linear(weight, null).relu().linear(weight, null).square().mean().backward();
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                weight.addInPlace(weight.gradient().orElseThrow(), -1e-4);
                weight.clearGradient();
            }
        }
    }
}
