package io.guimo.task;

import java.util.List;

/**
 * What preprocessing learnt from the training part. It travels in the model package as JSON, so that serving prepares its input by exactly the steps
 * that training used. A value of {@code version} other than the one written today is refused by the reader.
 */
public sealed interface FittedSteps {
    /** Version of the stored form. */
    int version();

    /**
     * Steps of {@link ClassifyImages}: pictures of any size become {@code height} × {@code width} × {@code channels} numbers.
     *
     * @param labels names of the classes, in the order of the network's outputs
     * @param height pixels of the network's input
     * @param width pixels of the network's input
     * @param channels 1 (grey) or 3 (red, green, blue)
     * @param mean a number a channel, subtracted from a value scaled to 0–1; over the training part
     * @param deviation a number a channel, more than 0, by which the difference is divided
     * @param background how the border of training pictures looks: a picture whose border is on the other side is inverted before the network sees it
     */
    record Images(
            int version,
            List<String> labels,
            int height,
            int width,
            int channels,
            List<Double> mean,
            List<Double> deviation,
            Background background)
            implements FittedSteps {
        public Images {
            labels = List.copyOf(labels);
            mean = List.copyOf(mean);
            deviation = List.copyOf(deviation);
        }
    }

    /** How the border of a picture looks. */
    enum Background {
        /** Bright things on black, as in Fashion-MNIST. */
        DARK,
        /** Dark things on white. */
        LIGHT,
        /** Neither: pictures are taken as they come. */
        MIXED
    }

    /**
     * Steps of {@link RecommendItems}.
     *
     * @param items the vocabulary, in the order of the network's inputs and outputs
     */
    record Items(int version, List<String> items) implements FittedSteps {
        public Items {
            items = List.copyOf(items);
        }
    }
}
