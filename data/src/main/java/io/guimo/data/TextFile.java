package io.guimo.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A whole file as text: UTF-8, checked. */
final class TextFile {
    /** A quarter of it is 16 million tokens: what outgrows one machine's training long before its memory. */
    static final long MAX_BYTES = 64 << 20;

    private TextFile() {}

    /**
     * The text with line ends as a line feed, without a byte order mark.
     *
     * @throws DataException naming the line of the first byte that is not UTF-8
     */
    static String read(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new DataException(
                        DataException.Code.TOO_LARGE,
                        file + " has " + Files.size(file) + " bytes; at most " + MAX_BYTES + " are read as one text");
            }
            String text = decode(file, Files.readAllBytes(file));
            if (text.startsWith("\ufeff")) text = text.substring(1);
            return text.indexOf('\r') < 0 ? text : text.replace("\r\n", "\n").replace('\r', '\n');
        } catch (IOException e) {
            throw new DataException(DataException.Code.UNAVAILABLE, file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static String decode(Path file, byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length); // no byte of UTF-8 makes more than one char
        CoderResult result = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT)
                .decode(in, out, true);
        if (!result.isError()) return out.flip().toString();
        int line = 1;
        int column = 1;
        for (int i = 0; i < in.position(); i++) {
            boolean ends = bytes[i] == '\n';
            line += ends ? 1 : 0;
            column = ends ? 1 : column + 1;
        }
        throw new DataException(
                DataException.Code.MALFORMED,
                String.format(
                        "%s:%d: byte %d of the line is 0x%02X, where no character of UTF-8 begins or goes on; save the file as UTF-8",
                        file, line, column, bytes[in.position()]));
    }
}
