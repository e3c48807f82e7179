package io.guimo.console;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;

/**
 * A module of a WebJar, served as one of the page's files.
 *
 * @param file name under which the page finds it
 * @param library the WebJar's name
 * @param module path of the module inside the library
 * @param imports bare names that it imports, and the files that stand for them
 */
record WebLibrary(String file, String library, String module, Map<String, String> imports) {
    WebLibrary {
        imports = Map.copyOf(imports);
    }

    WebFile load() {
        String version = version();
        return new WebFile(file, library + " " + version + " " + module, () -> read(version));
    }

    /** The version on the class path: the build file is the only place that chooses it. */
    private String version() {
        String name = "/META-INF/maven/org.webjars.npm/" + library + "/pom.properties";
        Properties properties = new Properties();
        try {
            properties.load(new StringReader(
                    new String(WebFile.resource(WebLibrary.class, name), StandardCharsets.ISO_8859_1)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("version");
    }

    private byte[] read(String version) {
        String path = "/META-INF/resources/webjars/" + library + "/" + version + "/" + module;
        String text = new String(WebFile.resource(WebLibrary.class, path), StandardCharsets.UTF_8);
        for (Map.Entry<String, String> each : imports.entrySet()) {
            String bare = "from\"" + each.getKey() + "\"";
            if (!text.contains(bare)) {
                throw new IllegalStateException(path + " has no import " + bare + "; the library was written anew");
            }
            text = text.replace(bare, "from\"" + each.getValue() + "\"");
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
