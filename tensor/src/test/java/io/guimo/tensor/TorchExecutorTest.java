package io.guimo.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

class TorchExecutorTest {
    @Test
    void call_insideACall_runsOnTheSameThread() {
        TorchExecutor executor = Started.TORCH.executor();
        executor.run(() -> {
            Thread outer = Thread.currentThread();
            assertThat(executor.<Thread>call(Thread::currentThread)).isSameAs(outer);
        });
    }

    @Test
    void call_jobThrows_callerGetsIt() {
        TorchExecutor executor = Started.TORCH.executor();
        IllegalArgumentException thrown = new IllegalArgumentException("as it is");
        assertThatThrownBy(() -> executor.run(() -> {
                    throw thrown;
                }))
                .isSameAs(thrown);
        assertThatThrownBy(() -> executor.call(() -> {
                    throw new IOException("checked");
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasRootCauseMessage("checked");
    }

    @Test
    void call_callerInterrupted_jobIsInterruptedAndAwaited() throws Exception {
        try (TorchExecutor executor = Started.TORCH.newExecutor("interrupted", 1, 1)) {
            CountDownLatch running = new CountDownLatch(1);
            CompletableFuture<Boolean> callerInterrupted = new CompletableFuture<>();
            CompletableFuture<Boolean> cancelled = new CompletableFuture<>();
            Thread caller = Thread.ofVirtual().start(() -> {
                try {
                    executor.call(() -> {
                        running.countDown();
                        new CountDownLatch(1).await(); // until interrupted
                        return "never";
                    });
                } catch (CancellationException stopped) {
                    cancelled.complete(true);
                }
                callerInterrupted.complete(Thread.currentThread().isInterrupted());
            });
            running.await();
            caller.interrupt();
            assertThat(cancelled.get()).isTrue();
            assertThat(callerInterrupted.get()).isTrue();
            assertThat((boolean) executor.call(() -> Thread.currentThread().isInterrupted()))
                    .isFalse();
        }
    }

    @Test
    void submit_jobs_completeTheirFutures() throws Exception {
        try (TorchExecutor executor = Started.TORCH.newExecutor("submitted", 2, 1)) {
            CompletableFuture<Double> sum = executor.submit(() -> {
                try (TensorScope _ = TensorScope.open()) {
                    return Tensor.full(1, 1000).sum().item();
                }
            });
            assertThat(sum.get()).isEqualTo(1000);
            CompletableFuture<Double> failed = executor.submit(() -> {
                try (TensorScope _ = TensorScope.open()) {
                    return Tensor.full(1, 2).matmul(Tensor.full(1, 3)).item();
                }
            });
            assertThatThrownBy(failed::get)
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(TorchException.class);
            assertThat(executor.cpuNanos()).isPositive();
        }
    }

    @Test
    void close_executor_finishesItsJobsAndRefusesMore() throws Exception {
        TorchExecutor executor = Started.TORCH.newExecutor("closed", 3, 1);
        CompletableFuture<String> last = executor.submit(() -> "done");
        executor.close();
        assertThat(last.get()).isEqualTo("done");
        assertThat(executor.cpuNanos()).isPositive();
        assertThatThrownBy(() -> executor.run(() -> {})).hasMessageContaining("closed");
    }

    @Test
    void start_otherThreadsInTheSameProcess_refused() {
        TorchEnvironment running = Started.TORCH.environment();
        assertThat(Torch.start(TorchSettings.pinned(Started.CACHE, running))).isSameAs(Started.TORCH);
        assertThat(Torch.start(TorchSettings.measured(Started.CACHE))).isSameAs(Started.TORCH);
        TorchSettings other = new TorchSettings(Started.CACHE, running.blas(), running.threads() + 1);
        assertThatThrownBy(() -> Torch.start(other))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("start another process");
        assertThatThrownBy(() -> new TorchSettings(Started.CACHE, null, 0)).hasMessageContaining("1 to 1024");
    }

    @Test
    void randomState_restored_repeatsWhatFollowed() {
        Started.TORCH.executor().run(() -> {
            try (TensorScope _ = TensorScope.open()) {
                RandomState.seed(9);
                Tensor.normal(0, 1, 7); // an odd number leaves a cached half of a Box–Muller pair: part of the state
                Tensor saved = RandomState.save();
                Tensor first = Tensor.normal(0, 1, 100);
                Tensor second = Tensor.uniform(-1, 1, 100);
                RandomState.restore(saved);
                assertThat(Tensor.normal(0, 1, 100).sameAs(first)).isTrue();
                assertThat(Tensor.uniform(-1, 1, 100).sameAs(second)).isTrue();
                assertThat(Tensor.uniform(-1, 1, 100).sameAs(second)).isFalse();
            }
        });
    }
}
