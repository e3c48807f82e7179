package io.guimo.launch;

/** The version of this program that runs, packages and messages name. */
final class CodeVersion {
    /** Raised with each release; runs of one release resume each other. */
    static final String RELEASE = "0.1.0";

    private CodeVersion() {}

    /** The release and the commit that was built, such as {@code 0.1.0+65eb529}; the launcher passes the commit on. */
    static String current() {
        String commit = System.getenv("GUIMO_COMMIT");
        return commit == null || commit.isBlank() ? RELEASE : RELEASE + "+" + commit;
    }
}
