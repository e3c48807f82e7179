package io.guimo.text.jinja;

/** A template that cannot be read or rendered; also what a template raises itself by {@code raise_exception}. */
public final class JinjaException extends RuntimeException {
    private final boolean raised;

    private JinjaException(String message, boolean raised) {
        super(message);
        this.raised = raised;
    }

    static JinjaException at(int line, String why) {
        return new JinjaException("line " + line + " of the template: " + why, false);
    }

    static JinjaException raised(String message) {
        return new JinjaException(message, true);
    }

    /** Whether the template itself refused what it was given, by {@code raise_exception}. */
    public boolean isRaisedByTemplate() {
        return raised;
    }
}
