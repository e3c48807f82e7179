package io.guimo.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads the data sets that a business names, from the catalogue or from its own files. */
public final class DataSources {
    private static final List<String> FASHION_LABELS = List.of(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot");
    private static final List<String> NUCLEUS_MEASUREMENTS = List.of(
            "radius",
            "texture",
            "perimeter",
            "area",
            "smoothness",
            "compactness",
            "concavity",
            "concave points",
            "symmetry",
            "fractal dimension");
    private static final int MAX_FILES = 1_000_000;
    /** Pixels of all pictures of a folder together, after scaling: a gibibyte. */
    private static final long MAX_PIXEL_BYTES = 1L << 30;

    private final Catalogue catalogue;
    private final CatalogueOptions options;
    private final Path base;
    private final ImageDecoder decoder;

    /**
     * @param base folder to which patterns of files are relative: that of the business file
     */
    public DataSources(Catalogue catalogue, CatalogueOptions options, Path base, ImageDecoder decoder) {
        this.catalogue = catalogue;
        this.options = options;
        this.base = base;
        this.decoder = decoder;
    }

    /**
     * @param side pixels, height and width, that pictures from a folder of files are brought to; catalogue pictures keep theirs
     * @throws DataException if the source is missing, malformed, or holds no pictures
     */
    public ImageSource images(DataSettings settings, int side) {
        if (settings.catalog() == null) return folder(pattern(settings), settings.label(), side);
        Dataset dataset = catalogue.get(settings.catalog(), options);
        return switch (dataset.entry().name()) {
            case StandardEntries.FASHION_MNIST -> fashionMnist(dataset);
            case StandardEntries.DIGITS -> digits(dataset);
            default ->
                throw new DataException(
                        DataException.Code.MALFORMED,
                        "'" + dataset.entry().name() + "' holds no labelled pictures; '" + StandardEntries.FASHION_MNIST
                                + "' and '" + StandardEntries.DIGITS + "' do");
        };
    }

    /**
     * From files, a line of a CSV file is a basket and its fields are names of items.
     *
     * @throws DataException if the source is missing, malformed, or holds no baskets
     */
    public BasketSource baskets(DataSettings settings) {
        if (settings.catalog() == null) return csvBaskets(pattern(settings));
        Dataset dataset = catalogue.get(settings.catalog(), options);
        if (!dataset.entry().name().equals(StandardEntries.SUPERMARKET)) {
            throw new DataException(
                    DataException.Code.MALFORMED,
                    "'" + dataset.entry().name() + "' holds no baskets; '" + StandardEntries.SUPERMARKET + "' does");
        }
        BasketSet baskets = ArffBaskets.read(dataset.file("supermarket.arff"));
        return new BasketSource(dataset.entry().name(), baskets, dataset.fingerprints());
    }

    /**
     * From files, a CSV file whose first line names the columns; the one that {@code label} names holds the class, all others numbers.
     *
     * @throws DataException if the source is missing or malformed
     */
    public RowSet rows(DataSettings settings) {
        if (settings.catalog() == null) return csvRows(pattern(settings), settings);
        Dataset dataset = catalogue.get(settings.catalog(), options);
        return switch (dataset.entry().name()) {
            case StandardEntries.DIGITS -> digitRows(dataset);
            case StandardEntries.BREAST_CANCER -> breastCancerRows(dataset);
            default ->
                throw new DataException(
                        DataException.Code.MALFORMED,
                        "'" + dataset.entry().name() + "' holds no rows of numbers; '" + StandardEntries.DIGITS
                                + "' and '" + StandardEntries.BREAST_CANCER + "' do");
        };
    }

    /**
     * From files, texts parted by lines of a single percent sign.
     *
     * @throws DataException if the source is missing or malformed
     */
    public List<TextSet> texts(DataSettings settings) {
        if (settings.catalog() == null) {
            return pattern(settings).stream().map(FortuneFile::read).toList();
        }
        Dataset dataset = catalogue.get(settings.catalog(), options);
        if (dataset.entry().content() != CatalogueEntry.Content.TEXTS) {
            throw new DataException(
                    DataException.Code.MALFORMED,
                    "'" + dataset.entry().name() + "' holds no texts; '" + StandardEntries.FORTUNES_ZH + "' does");
        }
        return dataset.entry().files().stream()
                .map(file -> FortuneFile.read(dataset.file(file.name())))
                .toList();
    }

    /**
     * Running text. From files, each is a document; of the catalogue's collections of short texts, each file is one whose texts stand apart by a blank
     * line.
     *
     * @throws DataException if the source is missing, not UTF-8, or holds no text
     */
    public Corpus corpus(DataSettings settings) {
        if (settings.catalog() == null) {
            List<Path> files = pattern(settings);
            return corpus("files", files, fingerprints(files));
        }
        Dataset dataset = catalogue.get(settings.catalog(), options);
        String name = dataset.entry().name();
        return switch (dataset.entry().content()) {
            case CORPUS ->
                corpus(
                        name,
                        dataset.entry().files().stream()
                                .map(file -> dataset.file(file.name()))
                                .toList(),
                        dataset.fingerprints());
            case TEXTS ->
                new Corpus(
                        name,
                        dataset.entry().files().stream()
                                .map(file -> FortuneFile.read(dataset.file(file.name())))
                                .map(texts -> new Corpus.Document(texts.name(), String.join("\n\n", texts.texts())))
                                .toList(),
                        dataset.fingerprints());
            case IMAGES, BASKETS, ROWS, ENCODER, LANGUAGE_MODEL, LIBRARY, FONT ->
                throw new DataException(
                        DataException.Code.MALFORMED,
                        "'" + name + "' holds no running text; '" + StandardEntries.TINY_SHAKESPEARE + "' and '"
                                + StandardEntries.HONGLOUMENG + "' do");
        };
    }

    private static Corpus corpus(String name, List<Path> files, Map<String, Fingerprint> fingerprints) {
        List<Corpus.Document> documents = new ArrayList<>();
        long characters = 0;
        for (Path file : files) {
            String text = TextFile.read(file);
            characters += text.length();
            if (characters > TextFile.MAX_BYTES) {
                throw new DataException(
                        DataException.Code.TOO_LARGE,
                        "the files up to " + file + " hold " + characters + " characters; at most " + TextFile.MAX_BYTES
                                + " are read as one corpus");
            }
            if (!text.isBlank()) documents.add(new Corpus.Document(String.valueOf(file.getFileName()), text));
        }
        if (documents.isEmpty()) {
            throw new DataException(DataException.Code.MALFORMED, "none of " + files.size() + " files holds any text");
        }
        return new Corpus(name, documents, fingerprints);
    }

    /** Where libraries that read what comes from here may unpack their native parts. */
    public Path nativeFolder() {
        return options.home().resolve("cache/tokenizers");
    }

    private static ImageSource fashionMnist(Dataset dataset) {
        ImageSet development = IdxFile.read(
                dataset.file("train-images-idx3-ubyte"), dataset.file("train-labels-idx1-ubyte"), FASHION_LABELS);
        ImageSet test = IdxFile.read(
                dataset.file("t10k-images-idx3-ubyte"), dataset.file("t10k-labels-idx1-ubyte"), FASHION_LABELS);
        return new ImageSource(
                dataset.entry().name(),
                development,
                test,
                true,
                Background.of(development),
                dataset.fingerprints(),
                List.of());
    }

    private static ImageSource digits(Dataset dataset) {
        RowSet rows = digitRows(dataset);
        byte[] pixels = new byte[rows.size() * 64];
        for (int row = 0; row < rows.size(); row++) {
            for (int i = 0; i < 64; i++) {
                pixels[row * 64 + i] = (byte) Math.round(Math.clamp(rows.values()[row][i], 0, 16) * 255 / 16);
            }
        }
        ImageSet pictures = new ImageSet(rows.labels(), 8, 8, 1, pixels, rows.label());
        return new ImageSource(
                dataset.entry().name(),
                pictures,
                null,
                false,
                Background.of(pictures),
                dataset.fingerprints(),
                List.of());
    }

    /** 64 numbers of 0–16 a line, then the digit. */
    private static RowSet digitRows(Dataset dataset) {
        Path file = dataset.file("digits.csv");
        List<String> columns = IntStream.range(0, 64)
                .mapToObj(i -> "pixel " + i / 8 + "," + i % 8)
                .toList();
        List<String> digits = IntStream.range(0, 10).mapToObj(Integer::toString).toList();
        List<CsvFile.Row> rows = CsvFile.read(file);
        double[][] values = rows.stream().map(row -> numbers(file, row, 0, 64)).toArray(double[][]::new);
        int[] label = rows.stream()
                .mapToInt(row -> (int) numbers(file, row, 64, 65)[0])
                .toArray();
        return new RowSet(columns, values, digits, label);
    }

    /** A first line of counts and label names, then 30 numbers and the index of the label a line. */
    private static RowSet breastCancerRows(Dataset dataset) {
        Path file = dataset.file("breast_cancer.csv");
        List<String> columns = Stream.of("mean ", "error of ", "worst ")
                .flatMap(of -> NUCLEUS_MEASUREMENTS.stream().map(measurement -> of + measurement))
                .toList();
        List<CsvFile.Row> all = CsvFile.read(file);
        List<String> labels = all.getFirst().fields().subList(2, 4);
        List<CsvFile.Row> rows = all.subList(1, all.size());
        double[][] values =
                rows.stream().map(row -> numbers(file, row, 0, columns.size())).toArray(double[][]::new);
        int[] label = rows.stream()
                .mapToInt(row -> (int) numbers(file, row, columns.size(), columns.size() + 1)[0])
                .toArray();
        return new RowSet(columns, values, labels, label);
    }

    private static RowSet csvRows(List<Path> files, DataSettings settings) {
        if (settings.label() == null) {
            throw new DataException(
                    DataException.Code.MALFORMED,
                    "files " + settings.files() + ": 'label' must name the column that holds the class");
        }
        List<String> columns = List.of();
        List<double[]> values = new ArrayList<>();
        List<String> classes = new ArrayList<>();
        for (Path file : files) {
            List<CsvFile.Row> rows = CsvFile.read(file);
            if (rows.isEmpty()) throw new DataException(DataException.Code.MALFORMED, file + " is empty");
            List<String> header = rows.getFirst().fields();
            int labelColumn = header.indexOf(settings.label());
            if (labelColumn < 0) {
                throw new DataException(
                        DataException.Code.MALFORMED,
                        file + ":1: no column '" + settings.label() + "'; it has " + String.join(", ", header));
            }
            List<String> numeric = new ArrayList<>(header);
            numeric.remove(labelColumn);
            if (!columns.isEmpty() && !columns.equals(numeric)) {
                throw new DataException(
                        DataException.Code.MALFORMED, file + ":1: other columns than in " + files.getFirst());
            }
            columns = List.copyOf(numeric);
            for (CsvFile.Row row : rows.subList(1, rows.size())) {
                if (row.fields().size() != header.size()) {
                    throw new DataException(
                            DataException.Code.MALFORMED,
                            file + ":" + row.line() + ": " + row.fields().size() + " fields for " + header.size()
                                    + " columns");
                }
                List<String> fields = new ArrayList<>(row.fields());
                classes.add(fields.remove(labelColumn));
                values.add(numbers(file, new CsvFile.Row(row.line(), fields), 0, fields.size()));
            }
        }
        List<String> labels = List.copyOf(new TreeSet<>(classes));
        return new RowSet(
                columns,
                values.toArray(double[][]::new),
                labels,
                classes.stream().mapToInt(labels::indexOf).toArray());
    }

    private static double[] numbers(Path file, CsvFile.Row row, int from, int to) {
        if (row.fields().size() < to) {
            throw new DataException(
                    DataException.Code.MALFORMED,
                    file + ":" + row.line() + ": " + row.fields().size() + " fields where " + to + " are needed");
        }
        double[] numbers = new double[to - from];
        for (int i = from; i < to; i++) {
            String field = row.fields().get(i).strip();
            try {
                numbers[i - from] = Double.parseDouble(field);
            } catch (NumberFormatException e) {
                throw notANumber(file, row, i, field);
            }
            if (!Double.isFinite(numbers[i - from])) throw notANumber(file, row, i, field);
        }
        return numbers;
    }

    private static DataException notANumber(Path file, CsvFile.Row row, int index, String field) {
        String shown = field.length() <= 40 ? field : field.substring(0, 40) + "…";
        return new DataException(
                DataException.Code.MALFORMED,
                file + ":" + row.line() + ": field " + (index + 1) + " is '" + shown + "'; it must be a finite number");
    }

    private BasketSource csvBaskets(List<Path> files) {
        TreeMap<String, Integer> items = new TreeMap<>();
        List<List<String>> baskets = new ArrayList<>();
        for (Path file : files) {
            for (CsvFile.Row row : CsvFile.read(file)) {
                List<String> basket = row.fields().stream()
                        .map(String::strip)
                        .filter(item -> !item.isEmpty())
                        .toList();
                basket.forEach(item -> items.put(item, 0));
                if (!basket.isEmpty()) baskets.add(basket);
            }
        }
        List<String> names = List.copyOf(items.keySet());
        for (int i = 0; i < names.size(); i++) items.put(names.get(i), i);
        int[][] indices = baskets.stream()
                .map(basket -> basket.stream()
                        .mapToInt(item -> items.getOrDefault(item, -1))
                        .sorted()
                        .distinct()
                        .toArray())
                .toArray(int[][]::new);
        return new BasketSource("files", new BasketSet(names, indices), fingerprints(files));
    }

    /** Pictures whose folder is their label. What cannot be read is left out and told; equal pictures are the splitter's business. */
    private ImageSource folder(List<Path> files, @Nullable String label, int side) {
        if (!"folder".equals(label)) {
            throw new DataException(
                    DataException.Code.MALFORMED,
                    "pictures from files need 'label: folder': the folder that holds a picture is its label");
        }
        if ((long) files.size() * side * side * 3 > MAX_PIXEL_BYTES) {
            throw new DataException(
                    DataException.Code.TOO_LARGE,
                    files.size() + " pictures of " + side + " × " + side + " pixels take more than " + MAX_PIXEL_BYTES
                            + " bytes, which are not read at once");
        }
        List<String> labels =
                files.stream().map(DataSources::folderName).distinct().sorted().toList();
        int stride = side * side * 3;
        byte[] pixels = new byte[files.size() * stride];
        int[] index = new int[files.size()];
        List<String> dropped = new ArrayList<>();
        int row = 0;
        for (Path file : files) {
            switch (decode(file, side)) {
                case ImageDecoder.Refused(ImageDecoder.Reason reason, String message) ->
                    dropped.add(file + ": " + reason + ": " + message);
                case ImageDecoder.Decoded(Picture picture) -> {
                    byte[] fitted = ImageFit.fit(picture, side, side, 3, Background.MIXED);
                    System.arraycopy(fitted, 0, pixels, row * stride, stride);
                    index[row++] = labels.indexOf(folderName(file));
                }
            }
        }
        if (row == 0) {
            throw new DataException(
                    DataException.Code.MALFORMED,
                    "none of " + files.size() + " files is a picture; the first: " + dropped.getFirst());
        }
        ImageSet colour =
                new ImageSet(labels, side, side, 3, Arrays.copyOf(pixels, row * stride), Arrays.copyOf(index, row));
        return new ImageSource(
                "files", greyIfColourless(colour), null, true, Background.MIXED, fingerprints(files), dropped);
    }

    private static String folderName(Path file) {
        Path folder = Objects.requireNonNull(file.toAbsolutePath().getParent(), "a file lies in a folder");
        return String.valueOf(folder.getFileName());
    }

    private ImageDecoder.Decoding decode(Path file, int side) {
        try {
            if (Files.size(file) > decoder.limits().maxBytes()) {
                return new ImageDecoder.Refused(
                        ImageDecoder.Reason.TOO_MANY_BYTES,
                        Files.size(file) + " bytes; at most " + decoder.limits().maxBytes() + " are read");
            }
            return decoder.decode(Files.readAllBytes(file), side);
        } catch (IOException e) {
            throw new DataException(DataException.Code.UNAVAILABLE, file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static ImageSet greyIfColourless(ImageSet colour) {
        byte[] grey = new byte[colour.pixels().length / 3];
        for (int i = 0; i < grey.length; i++) {
            grey[i] = colour.pixels()[3 * i];
            if (grey[i] != colour.pixels()[3 * i + 1] || grey[i] != colour.pixels()[3 * i + 2]) return colour;
        }
        return new ImageSet(colour.labels(), colour.height(), colour.width(), 1, grey, colour.label());
    }

    private static Map<String, Fingerprint> fingerprints(List<Path> files) {
        Map<String, Fingerprint> fingerprints = new LinkedHashMap<>();
        for (Path file : files) {
            try {
                fingerprints.put(file.toString(), Fingerprint.of(file));
            } catch (IOException e) {
                throw new DataException(DataException.Code.UNAVAILABLE, file + " cannot be read: " + e.getMessage(), e);
            }
        }
        return fingerprints;
    }

    /** Files that match, sorted, so that every machine numbers rows alike. Links are not followed: they could leave the folder or go round. */
    private List<Path> pattern(DataSettings settings) {
        String pattern = String.valueOf(settings.files());
        try {
            PathMatcher matcher = base.getFileSystem().getPathMatcher("glob:" + pattern);
            try (Stream<Path> tree = Files.walk(base)) {
                List<Path> files = tree.filter(Files::isRegularFile)
                        .filter(file -> matcher.matches(base.relativize(file)))
                        .sorted()
                        .limit(MAX_FILES + 1L)
                        .toList();
                if (files.isEmpty()) {
                    throw new DataException(
                            DataException.Code.UNAVAILABLE, "no file matches '" + pattern + "' in " + base);
                }
                if (files.size() > MAX_FILES) {
                    throw new DataException(
                            DataException.Code.TOO_LARGE,
                            "more than " + MAX_FILES + " files match '" + pattern + "' in " + base);
                }
                return files;
            }
        } catch (IOException | UncheckedIOException | InvalidPathException e) {
            throw new DataException(DataException.Code.UNAVAILABLE, base + " cannot be searched: " + e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new DataException(
                    DataException.Code.MALFORMED, "'" + pattern + "' is no pattern of files: " + e.getMessage(), e);
        }
    }
}
