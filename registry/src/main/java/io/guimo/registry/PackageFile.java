package io.guimo.registry;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * One file of a model package.
 *
 * @param name   plain file name, unique in its package, never a path
 * @param bytes  length of the plain content
 * @param sha256 digest of the plain content, 64 lower-case hexadecimal digits
 */
public record PackageFile(Role role, Format format, String name, long bytes, String sha256) {
    /** What the file is for. */
    public enum Role {
        WEIGHTS,
        TOKENIZER,
        /** The network's shape, as other programs read it. */
        CONFIG,
        ADAPTER,
        /** Fitted preprocessing. */
        STEPS,
        /** Licence and origin of what others made. */
        NOTICE;

        String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** How the file is written. */
    public enum Format {
        SAFETENSORS,
        ONNX,
        GGUF,
        JSON,
        TEXT;

        String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Far above any model that one machine serves; bounds what a hostile manifest can announce. */
    static final long MAX_BYTES = 1L << 42;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

    public PackageFile {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("file name '" + Shown.text(name)
                    + "' is not permitted: 1 to 128 of A-Z a-z 0-9 . _ -, the first a letter or digit, no folders");
        }
        if (bytes < 0 || bytes > MAX_BYTES) {
            throw new IllegalArgumentException(
                    "file " + name + " announces " + bytes + " bytes; permitted are 0 to " + MAX_BYTES);
        }
        Digests.require(sha256, "file " + name);
    }
}
