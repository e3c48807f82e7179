package io.guimo.serve.language;

import io.guimo.text.ToolCallParser;
import io.guimo.text.ToolFormat;
import java.util.Set;
import java.util.UUID;

/**
 * How calls of tools are found in an answer.
 *
 * @param names of the tools that may be called
 * @param several whether there may be more than one call; else the answer ends with the first
 * @param idPrefix what the wire format's ids of calls begin with
 */
record Calls(ToolFormat format, Set<String> names, boolean several, String idPrefix) {
    Calls {
        names = Set.copyOf(names);
    }

    ToolCallParser parser() {
        return format.parser(
                names,
                () -> idPrefix + UUID.randomUUID().toString().replace("-", "").substring(0, 24));
    }
}
