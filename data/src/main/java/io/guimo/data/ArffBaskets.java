package io.guimo.data;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Baskets in Weka's attribute-relation format: an attribute an item whose only value is {@code t}, {@code ?} where the item was not bought (Witten,
 * Frank, Hall, "Data Mining", section 2.4). An attribute with other values is no item and is left out, as is an item that is in no basket.
 */
final class ArffBaskets {
    private static final Pattern ATTRIBUTE =
            Pattern.compile("@attribute\\s+('([^']*)'|\\S+)\\s+\\{([^}]*)}.*", Pattern.CASE_INSENSITIVE);
    private static final int MAX_LINE = 1 << 20;
    private static final int MAX_BASKETS = 10_000_000;

    private ArffBaskets() {}

    static BasketSet read(Path file) {
        List<String> attributes = new ArrayList<>();
        BitSet items = new BitSet();
        List<int[]> baskets = new ArrayList<>();
        try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            boolean data = false;
            int number = 0;
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                number++;
                if (line.length() > MAX_LINE || baskets.size() >= MAX_BASKETS) {
                    throw new DataException(
                            DataException.Code.TOO_LARGE,
                            file + ":" + number + ": a line of more than " + MAX_LINE + " characters or more than "
                                    + MAX_BASKETS + " baskets are not read");
                }
                String text = line.strip();
                if (text.isEmpty() || text.startsWith("%")) continue;
                if (data) {
                    baskets.add(basket(text, attributes.size(), items, file, number));
                } else if (text.regionMatches(true, 0, "@data", 0, 5)) {
                    data = true;
                } else if (text.regionMatches(true, 0, "@attribute", 0, 10)) {
                    Matcher matcher = ATTRIBUTE.matcher(text);
                    if (!matcher.matches()) {
                        throw new DataException(
                                DataException.Code.MALFORMED,
                                file + ":" + number + ": '" + text + "' is no attribute with listed values");
                    }
                    if (matcher.group(3).strip().equals("t")) items.set(attributes.size());
                    attributes.add(matcher.group(2) != null ? matcher.group(2) : matcher.group(1));
                }
            }
        } catch (IOException e) {
            throw new DataException(DataException.Code.UNAVAILABLE, file + " cannot be read: " + e.getMessage(), e);
        }
        return onlyItemsThatOccur(attributes, baskets);
    }

    private static int[] basket(String text, int attributes, BitSet items, Path file, int line) {
        String[] values = text.split(",", -1);
        if (values.length != attributes) {
            throw new DataException(
                    DataException.Code.MALFORMED,
                    file + ":" + line + ": " + values.length + " values for " + attributes + " attributes");
        }
        BitSet bought = new BitSet();
        for (int i = 0; i < values.length; i++) {
            String value = values[i].strip();
            if (!items.get(i) || value.equals("?")) continue;
            if (!value.equals("t")) {
                throw new DataException(
                        DataException.Code.MALFORMED,
                        file + ":" + line + ": value " + (i + 1) + " is '" + value + "'; permitted are t and ?");
            }
            bought.set(i);
        }
        return bought.stream().toArray();
    }

    private static BasketSet onlyItemsThatOccur(List<String> attributes, List<int[]> baskets) {
        BitSet occurring = new BitSet();
        for (int[] basket : baskets) for (int item : basket) occurring.set(item);
        int[] position = new int[attributes.size()];
        List<String> names = new ArrayList<>();
        for (int item = occurring.nextSetBit(0); item >= 0; item = occurring.nextSetBit(item + 1)) {
            position[item] = names.size();
            names.add(attributes.get(item));
        }
        int[][] renumbered = new int[baskets.size()][];
        for (int row = 0; row < renumbered.length; row++) {
            int[] basket = baskets.get(row);
            renumbered[row] = new int[basket.length];
            for (int i = 0; i < basket.length; i++) renumbered[row][i] = position[basket[i]];
        }
        return new BasketSet(names, renumbered);
    }
}
