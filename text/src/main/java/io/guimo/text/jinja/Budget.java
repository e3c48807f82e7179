package io.guimo.text.jinja;

/** What one rendering may still cost. Everything that a template can repeat or grow is paid here before it happens. */
final class Budget {
    /** Evaluated expressions, iterations and compared items. A conversation of 10,000 messages takes about a million. */
    private static final int STEPS = 5_000_000;
    /** Characters that are made or looked at, beside what the input's own size permits. */
    private static final int CHARACTERS = 32 << 20;
    /** How often a template may go through the whole input. */
    private static final int PASSES = 16;
    /** Deepest nesting of macro calls, and of lists in lists. */
    private static final int DEEPEST = 100;

    private int steps = STEPS;
    private long characters;
    private int depth;

    Budget(long inputCharacters) {
        characters = CHARACTERS + PASSES * inputCharacters;
    }

    void step(int line) {
        if (--steps < 0) throw JinjaException.at(line, "it takes more than " + STEPS + " steps; a loop may not end");
    }

    void characters(long count, int line) {
        characters -= count;
        if (characters < 0) throw JinjaException.at(line, "it makes or reads too many characters");
    }

    void enter(int line) {
        if (++depth > DEEPEST) throw JinjaException.at(line, "it goes deeper than " + DEEPEST);
    }

    void leave() {
        depth--;
    }
}
