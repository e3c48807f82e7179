package io.guimo.testkit;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;

/** A business small enough to be trained in seconds: pictures of three shapes in folders, drawn by a seed. */
final class SmallBusiness {
    private static final List<String> SHAPES = List.of("square", "circle", "stripe");
    private static final int PICTURES_EACH = 80;

    private SmallBusiness() {}

    /** Writes pictures and business file into the folder. */
    static Path write(Path folder) throws IOException {
        SplittableRandom random = new SplittableRandom(20261122);
        for (String shape : SHAPES) {
            Path pictures = Files.createDirectories(folder.resolve("photos").resolve(shape));
            for (int i = 0; i < PICTURES_EACH; i++) {
                ImageIO.write(
                        draw(shape, random), "png", pictures.resolve(i + ".png").toFile());
            }
        }
        Path file = folder.resolve("small.yaml");
        Files.writeString(file, """
                business: Shapes 形状
                currency: CNY
                zone: Asia/Shanghai
                data:
                  photos: {files: "photos/**.png", label: folder}
                models:
                  shapes:
                    task: classify-images
                    data: photos
                    architecture: {kind: resnet, width: 8}
                    train: {epochs: 4, batch: 16, learningRate: 5e-3, seed: 1}
                    gate: {accuracy: ">= 0.6"}
                plans:
                  - {name: payg, prices: {shapes: {per: image, tiers: [{upTo: 100, each: 0.002}, {each: 0.001}]}}}
                costs: {machine: {perHour: 1.20}}
                demonstration: {customer: "Shape Buyer 形状客户", plan: payg, credit: 20, requests: 12}
                """);
        return file;
    }

    static byte[] png(String shape, long seed) throws IOException {
        var out = new java.io.ByteArrayOutputStream();
        ImageIO.write(draw(shape, new SplittableRandom(seed)), "png", out);
        return out.toByteArray();
    }

    private static BufferedImage draw(String shape, SplittableRandom random) {
        BufferedImage image = new BufferedImage(24, 24, BufferedImage.TYPE_INT_RGB);
        Graphics2D pen = image.createGraphics();
        pen.setColor(new Color(random.nextInt(60), random.nextInt(60), random.nextInt(60)));
        pen.fillRect(0, 0, 24, 24);
        pen.setColor(new Color(160 + random.nextInt(95), 160 + random.nextInt(95), 160 + random.nextInt(95)));
        int size = 8 + random.nextInt(8);
        int x = 2 + random.nextInt(22 - size);
        int y = 2 + random.nextInt(22 - size);
        switch (shape) {
            case "square" -> pen.fillRect(x, y, size, size);
            case "circle" -> pen.drawOval(x, y, size, size);
            case "stripe" -> pen.fillRect(0, y, 24, 3);
            default -> throw new IllegalArgumentException(shape);
        }
        pen.dispose();
        return image;
    }
}
