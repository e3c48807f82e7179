package io.guimo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataSourcesTest {
    @TempDir
    Path folder;

    @Test
    void idx_wellFormed_readAsStored() throws IOException {
        Path pictures = write("pictures", ints(0x803, 2, 1, 3), new byte[] {0, 127, (byte) 255, 1, 2, 3});
        Path labels = write("labels", ints(0x801, 2), new byte[] {1, 0});
        ImageSet set = IdxFile.read(pictures, labels, List.of("a", "b"));
        assertThat(set.height()).isEqualTo(1);
        assertThat(set.width()).isEqualTo(3);
        assertThat(set.picture(0)).containsExactly(0, 127, (byte) 255);
        assertThat(set.label()).containsExactly(1, 0);
    }

    @Test
    void idx_headerClaimsMoreThanTheFileHas_refusedBeforeMemoryIsTaken() throws IOException {
        Path labels = write("labels", ints(0x801, 2), new byte[] {1, 0});
        Path cut = write("cut", ints(0x803, 2, 28, 28), new byte[5]);
        Path huge = write("huge", ints(0x803, 2_000_000_000, 28, 28), new byte[5]);
        Path negative = write("negative", ints(0x803, -1, 28, 28), new byte[5]);
        Path otherType = write("floats", ints(0xd03, 1, 1, 1), new byte[4]);
        Path unknownLabel = write("unknown", ints(0x801, 2), new byte[] {1, 9});
        for (Path file : List.of(cut, huge, negative, otherType)) {
            assertThatThrownBy(() -> IdxFile.read(file, labels, List.of("a", "b")))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining(file.toString());
        }
        Path two = write("two", ints(0x803, 2, 1, 1), new byte[2]);
        assertThatThrownBy(() -> IdxFile.read(two, unknownLabel, List.of("a", "b")))
                .hasMessageContaining("label 9; permitted are 0 to 1");
    }

    @Test
    void arff_itemsThatOccur_kept() throws IOException {
        Path file = Files.writeString(folder.resolve("baskets.arff"), """
                % a comment
                @relation baskets
                @attribute 'bread and cake' { t}
                @attribute never {t}
                @attribute tea { t}
                @attribute 'total' { low, high} % low < 100
                @data
                t,?,t,low
                ?,?,t,high
                """);
        BasketSet baskets = ArffBaskets.read(file);
        assertThat(baskets.items()).containsExactly("bread and cake", "tea");
        assertThat(baskets.baskets()).isDeepEqualTo(new int[][] {{0, 1}, {1}});
    }

    @Test
    void arff_wrongRow_lineNamed() throws IOException {
        String head = "@attribute a {t}\n@attribute b {t}\n@data\n";
        Path few = Files.writeString(folder.resolve("few.arff"), head + "t,?\nt\n");
        Path other = Files.writeString(folder.resolve("other.arff"), head + "t,x\n");
        assertThatThrownBy(() -> ArffBaskets.read(few)).hasMessageContaining("few.arff:5: 1 values for 2 attributes");
        assertThatThrownBy(() -> ArffBaskets.read(other)).hasMessageContaining("other.arff:4: value 2 is 'x'");
    }

    @Test
    void csv_quotesAndLineEnds_asRfc4180() throws IOException {
        Path file = Files.writeString(folder.resolve("a.csv"), "\ufeffname,text\r\na,\"x, \"\"y\"\"\nz\"\r\n\r\nb,\n");
        List<CsvFile.Row> rows = CsvFile.read(file);
        assertThat(rows)
                .extracting(CsvFile.Row::fields)
                .containsExactly(List.of("name", "text"), List.of("a", "x, \"y\"\nz"), List.of("b", ""));
        assertThat(rows).extracting(CsvFile.Row::line).containsExactly(1, 2, 5);
    }

    @Test
    void rows_fromFile_labelColumnIsTheClass() throws IOException {
        Files.writeString(folder.resolve("rows.csv"), "x,kind,y\n1,ham,2.5\n-3,spam,1e3\n");
        RowSet rows = sources().rows(new DataSettings(null, "*.csv", "kind"));
        assertThat(rows.columns()).containsExactly("x", "y");
        assertThat(rows.labels()).containsExactly("ham", "spam");
        assertThat(rows.values()).isDeepEqualTo(new double[][] {{1, 2.5}, {-3, 1000}});
        assertThat(rows.label()).containsExactly(0, 1);
    }

    @Test
    void rows_wrongFiles_fileAndLineNamed() throws IOException {
        Files.writeString(folder.resolve("nan.csv"), "x,kind\nNaN,ham\n");
        Files.writeString(folder.resolve("word.csv"), "x,kind\n1,ham\nmany,ham\n");
        Files.writeString(folder.resolve("ragged.csv"), "x,kind\n1\n");
        Files.writeString(folder.resolve("open.csv"), "x,kind\n\"1,ham\n");
        Files.write(folder.resolve("latin.csv"), new byte[] {'x', ',', (byte) 0xe9, '\n'});
        assertThatThrownBy(() -> rows("nan.csv")).hasMessageContaining("nan.csv:2: field 1 is 'NaN'");
        assertThatThrownBy(() -> rows("word.csv")).hasMessageContaining("word.csv:3: field 1 is 'many'");
        assertThatThrownBy(() -> rows("ragged.csv")).hasMessageContaining("ragged.csv:2: 1 fields for 2 columns");
        assertThatThrownBy(() -> rows("open.csv")).hasMessageContaining("never ends");
        assertThatThrownBy(() -> rows("latin.csv")).hasMessageContaining("not UTF-8");
        assertThatThrownBy(() -> rows("none*.csv")).hasMessageContaining("no file matches");
        assertThatThrownBy(() -> sources().rows(new DataSettings(null, "word.csv", "sort")))
                .hasMessageContaining("no column 'sort'; it has x, kind");
    }

    @Test
    void baskets_fromFile_namesSortedAndOnce() throws IOException {
        Files.writeString(folder.resolve("b.csv"), "tea, bread ,tea\nmilk\n");
        BasketSet baskets =
                sources().baskets(new DataSettings(null, "b.csv", null)).baskets();
        assertThat(baskets.items()).containsExactly("bread", "milk", "tea");
        assertThat(baskets.baskets()).isDeepEqualTo(new int[][] {{0, 2}, {1}});
    }

    @Test
    void fortunes_colouredAndParted_plainTexts() throws IOException {
        Path file = Files.writeString(folder.resolve("poems"), "\u001b[32m《春》\u001b[m\n花\n%\n\n%\n月\n");
        assertThat(FortuneFile.read(file).texts()).containsExactly("《春》\n花", "月");
    }

    @Test
    void pictures_fromFolders_labelledByFolderAndUnreadableTold() throws IOException {
        for (String label : List.of("shoe", "bag")) {
            Path place = Files.createDirectories(folder.resolve("photos/" + label));
            Files.write(
                    place.resolve("1.png"),
                    Pictures.png(Pictures.filled(40, 20, label.equals("bag") ? 0xff0000 : 0xff)));
        }
        Files.writeString(folder.resolve("photos/bag/2.png"), "no picture");
        ImageSource source = sources().images(new DataSettings(null, "photos/**.png", "folder"), 16);
        assertThat(source.development().labels()).containsExactly("bag", "shoe");
        assertThat(source.development().size()).isEqualTo(2);
        assertThat(source.development().channels()).isEqualTo(3);
        assertThat(source.dropped()).singleElement().asString().contains("bag/2.png", "UNKNOWN_FORMAT");
        assertThat(source.fingerprints()).hasSize(3);
    }

    private RowSet rows(String pattern) {
        return sources().rows(new DataSettings(null, pattern, "kind"));
    }

    private DataSources sources() {
        return new DataSources(
                Catalogue.standard(),
                new CatalogueOptions(folder.resolve("home"), null, FetchProgress.NONE),
                folder,
                new ImageDecoder(ImageDecoder.Limits.STANDARD));
    }

    private Path write(String name, byte[] head, byte[] body) throws IOException {
        byte[] all = ByteBuffer.allocate(head.length + body.length)
                .put(head)
                .put(body)
                .array();
        return Files.write(folder.resolve(name), all);
    }

    private static byte[] ints(int... values) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * values.length);
        for (int value : values) buffer.putInt(value);
        return buffer.array();
    }
}
