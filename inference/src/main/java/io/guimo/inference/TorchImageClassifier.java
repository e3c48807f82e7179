package io.guimo.inference;

import io.guimo.data.ImageDecoder;
import io.guimo.inference.BatchQueue.BatchRule;
import io.guimo.model.Module;
import io.guimo.task.ClassifyImages;
import io.guimo.task.FittedSteps;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.TorchExecutor;
import io.guimo.units.Meter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/**
 * A classifier over libtorch. Each image passes two stages: decoding, one image at a time, so that a large photo delays nobody who shares its batch;
 * then the network, over all images that are ready.
 *
 * <p>B batch, C channels, H, W pixels, K labels.
 */
final class TorchImageClassifier implements ImageClassifier {
    private static final Set<Meter> METERS = Set.of(Meter.IMAGES);
    private static final int MAX_IMAGES = 256;
    /** Encoded images that wait. An upload of that size is already in memory; this bounds how many of them. */
    private static final long MAX_WAITING_BYTES = 256L << 20;

    private static final class Image extends Pending<Classification> {
        final int index;
        final byte[] encoded;
        float[] input = {};

        Image(int index, byte[] encoded) {
            this.index = index;
            this.encoded = encoded;
        }
    }

    private final String name;
    private final String version;
    private final FittedSteps.Images steps;
    private final Module network;
    private final ImageDecoder decoder;
    private final Admission admission;
    private final BatchQueue<Image> toDecode = new BatchQueue<>(BatchRule.atMost(1), Duration.ZERO);
    private final BatchQueue<Image> toClassify;
    private final EngineThreads decoders;
    private final TorchExecutor executor;
    private final List<CompletableFuture<Boolean>> loops = new ArrayList<>();
    private final UsageCounter counter = new UsageCounter(METERS);

    /**
     * @param network  in evaluation mode; belongs to this engine from here on
     * @param executor one thread per operation, as many workers as the settings say; belongs to this engine from here on
     */
    TorchImageClassifier(
            String name,
            String version,
            FittedSteps.Images steps,
            Module network,
            ImageDecoder decoder,
            TorchExecutor executor,
            EngineSettings settings) {
        this.name = name;
        this.version = version;
        this.steps = steps;
        this.network = network;
        this.decoder = decoder;
        this.executor = executor;
        this.admission = new Admission(name, version, Math.max(settings.maxWaiting(), MAX_IMAGES), MAX_WAITING_BYTES);
        this.toClassify = new BatchQueue<>(BatchRule.atMost(settings.maxBatch()), settings.linger());
        this.decoders = new EngineThreads(name + "-decode", settings.workers(), this::decodeLoop);
        for (int i = 0; i < settings.workers(); i++) loops.add(executor.submit(this::classifyLoop));
    }

    @Override
    public List<Classification> classify(List<byte[]> images) {
        if (images.isEmpty() || images.size() > MAX_IMAGES) {
            throw new InvalidInput(-1, images.size() + " images; permitted are 1 to " + MAX_IMAGES + " in a request");
        }
        List<Image> units = new ArrayList<>(images.size());
        long bytes = 0;
        for (byte[] encoded : images) {
            units.add(new Image(units.size(), encoded));
            bytes += encoded.length;
        }
        admission.enter(units.size(), bytes);
        toDecode.putAll(units);
        List<Classification> answers = Pending.await(units);
        counter.answered(Map.of(Meter.IMAGES, (long) units.size()));
        return answers;
    }

    private void decodeLoop() {
        for (List<Image> batch = toDecode.take(); !batch.isEmpty(); batch = toDecode.take()) {
            for (Image image : batch) decode(image);
        }
    }

    private void decode(Image image) {
        if (image.abandoned()) {
            leave(image);
            return;
        }
        try {
            switch (ClassifyImages.prepare(image.encoded, steps, decoder)) {
                case ClassifyImages.Prepared(float[] input) -> {
                    image.input = input;
                    toClassify.put(image);
                }
                case ClassifyImages.Unreadable(ImageDecoder.Reason _, String message) -> {
                    image.fail(new InvalidInput(image.index, message));
                    leave(image);
                }
            }
        } catch (Throwable failed) { // handed to whoever waits, errors too
            image.fail(failed);
            leave(image);
        }
    }

    private boolean classifyLoop() {
        for (List<Image> batch = toClassify.take(); !batch.isEmpty(); batch = toClassify.take()) answer(batch);
        return true;
    }

    private void answer(List<Image> batch) {
        List<Image> wanted = batch.stream().filter(image -> !image.abandoned()).toList();
        long began = System.nanoTime();
        counter.batchBegan();
        try {
            if (!wanted.isEmpty()) {
                float[] probabilitiesBK = forward(wanted);
                for (int i = 0; i < wanted.size(); i++) wanted.get(i).complete(ranked(probabilitiesBK, i));
            }
        } catch (Throwable failed) { // handed to whoever waits, errors too
            for (Image image : wanted) image.fail(failed);
        } finally {
            counter.batchEnded();
            admission.worked(batch.size(), System.nanoTime() - began);
            for (Image image : batch) leave(image);
        }
    }

    private float[] forward(List<Image> images) {
        int plane = steps.channels() * steps.height() * steps.width();
        float[] inputBCHW = new float[images.size() * plane];
        for (int i = 0; i < images.size(); i++) System.arraycopy(images.get(i).input, 0, inputBCHW, i * plane, plane);
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            return network.forward(Tensor.of(inputBCHW, images.size(), steps.channels(), steps.height(), steps.width()))
                    .softmax(1)
                    .toFloats();
        }
    }

    private Classification ranked(float[] probabilitiesBK, int row) {
        int labels = steps.labels().size();
        return new Classification(IntStream.range(0, labels)
                .mapToObj(k -> new Classification.LabelScore(steps.labels().get(k), probabilitiesBK[row * labels + k]))
                // A stable sort: equal probabilities stay in the order of the labels.
                .sorted(Comparator.comparingDouble(Classification.LabelScore::probability)
                        .reversed())
                .toList());
    }

    private void leave(Image image) {
        admission.leave(1, image.encoded.length);
    }

    @Override
    public List<String> labels() {
        return steps.labels();
    }

    @Override
    public int maxImages() {
        return MAX_IMAGES;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public Set<Meter> meters() {
        return METERS;
    }

    @Override
    public EngineUsage usage() {
        return counter.read(decoders.cpuNanos() + executor.cpuNanos());
    }

    @Override
    public void close() {
        admission.closeAndDrain();
        toDecode.close();
        toClassify.close();
        decoders.join();
        for (CompletableFuture<Boolean> loop : loops) loop.join();
        executor.close();
        network.close();
    }
}
