package io.guimo.serve;

import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.RefusedException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.commons.fileupload2.core.MultipartInput;
import org.apache.commons.fileupload2.core.ParameterParser;

/** Reads the files of a {@code multipart/form-data} body. */
final class MultipartFiles {
    private static final int HEADERS_LIMIT = 8 * 1024;

    private MultipartFiles() {}

    /**
     * @param field name of the field, which may be given repeatedly
     * @param most files at most
     * @throws RefusedException if the body is not such a form, or has other fields
     */
    static List<byte[]> read(Exchange exchange, String field, int most) {
        byte[] boundary = boundary(exchange.header("content-type").orElse(""));
        List<byte[]> files = new ArrayList<>();
        try {
            MultipartInput input = MultipartInput.builder()
                    .setInputStream(new ByteArrayInputStream(exchange.body()))
                    .setBoundary(boundary)
                    .setPartHeaderSizeMax(HEADERS_LIMIT)
                    .get();
            boolean more = input.skipPreamble();
            if (!more) throw malformed("its boundary does not occur in it");
            while (more) {
                String name = name(input.readHeaders());
                if (!name.equals(field)) {
                    throw RefusedException.invalid(
                            "Unknown field '" + name + "'; give files in the field '" + field + "'",
                            name,
                            "unknown_parameter");
                }
                ByteArrayOutputStream file = new ByteArrayOutputStream();
                input.readBodyData(file);
                files.add(file.toByteArray());
                if (files.size() > most) throw Predictions.tooMany(files.size(), field, most);
                more = input.readBoundary();
            }
            return files;
        } catch (IOException | IllegalArgumentException e) {
            throw malformed(String.valueOf(e.getMessage()));
        }
    }

    private static byte[] boundary(String contentType) {
        String boundary = parameters(contentType).get("boundary");
        if (boundary == null || boundary.isEmpty() || boundary.length() > 70) {
            throw malformed("the content type names no boundary of 1 to 70 characters");
        }
        return boundary.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String name(String headers) {
        for (String line : headers.split("\r\n")) {
            if (line.toLowerCase(Locale.ROOT).startsWith("content-disposition:")) {
                String name = parameters(line.substring(line.indexOf(':') + 1)).get("name");
                if (name != null) return name;
            }
        }
        throw malformed("a part has no name");
    }

    private static Map<String, String> parameters(String header) {
        ParameterParser parser = new ParameterParser();
        parser.setLowerCaseNames(true);
        return parser.parse(header, ';');
    }

    private static RefusedException malformed(String why) {
        return RefusedException.invalid("The body is not a valid multipart form: " + why, null, "invalid_multipart");
    }
}
