package io.guimo.data;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Texts as the program fortune keeps them: parted by lines of a single percent sign, coloured by terminal escapes, which are left out. */
final class FortuneFile {
    private static final Pattern ESCAPE = Pattern.compile("\u001b\\[[0-9;]*[A-Za-z]");
    private static final long MAX_BYTES = 64 << 20;

    private FortuneFile() {}

    static TextSet read(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new DataException(
                        DataException.Code.TOO_LARGE,
                        file + " has " + Files.size(file) + " bytes; at most " + MAX_BYTES + " are read");
            }
            List<String> texts = new ArrayList<>();
            StringBuilder text = new StringBuilder();
            for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
                if (line.equals("%")) {
                    add(texts, text);
                } else {
                    text.append(ESCAPE.matcher(line).replaceAll("")).append('\n');
                }
            }
            add(texts, text);
            return new TextSet(String.valueOf(file.getFileName()), texts);
        } catch (MalformedInputException e) {
            throw new DataException(DataException.Code.MALFORMED, file + " is not UTF-8 text", e);
        } catch (IOException e) {
            throw new DataException(DataException.Code.UNAVAILABLE, file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static void add(List<String> texts, StringBuilder text) {
        String trimmed = text.toString().strip();
        if (!trimmed.isEmpty()) texts.add(trimmed);
        text.setLength(0);
    }
}
