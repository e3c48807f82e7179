package io.guimo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import org.junit.jupiter.api.Test;

class LinearAutoencoderTest {
    @Test
    void forward_basket_anItemSaysNothingAboutItself() {
        Started.inScope(() -> {
            try (LinearAutoencoder network = new LinearAutoencoder(3, .5)) {
                try (TensorScope _ = TensorScope.openWithoutGradients()) {
                    Started.named(network.parameters(), "weight")
                            .copyInPlace(Tensor.of(new float[] {9, 1, 2, 3, 9, 4, 5, 6, 9}, 3, 3));
                    Started.named(network.parameters(), "bias").copyInPlace(Tensor.of(new float[] {.5f, 0, 0}, 3));
                }
                network.evaluate();
                float[] scores =
                        network.forward(Tensor.of(new float[] {1, 0, 1}, 1, 3)).toFloats();
                // row: scored item, column: item in the basket, diagonal left out
                assertThat(scores).containsExactly(2.5f, 7, 5);

                network.forward(Tensor.of(new float[] {1, 0, 1}, 1, 3)).sum().backward();
                float[] gradient = Started.named(network.parameters(), "weight")
                        .gradient()
                        .orElseThrow()
                        .toFloats();
                assertThat(gradient).containsExactly(0, 0, 1, 1, 0, 1, 1, 0, 0);
            }
        });
    }

    @Test
    void state_savedNetwork_holdsMatrixAndBiasOnly() {
        Started.inScope(() -> {
            try (LinearAutoencoder network = new LinearAutoencoder(4, 0)) {
                assertThat(network.state()).containsOnlyKeys("weight", "bias");
            }
            assertThatThrownBy(() -> new LinearAutoencoder(1, 0)).hasMessageContaining("at least 2");
        });
    }
}
