package io.guimo.model.gguf;

import java.nio.file.Path;

/** A file that claims to be GGUF and is not soundly so, or that does not hold what was asked of it. The message says what, where, and what is permitted. */
public final class MalformedGguf extends IllegalArgumentException {
    MalformedGguf(Path file, String why) {
        super(file.getFileName() + " is not a sound GGUF file: " + why + "; fetch or convert it again");
    }
}
