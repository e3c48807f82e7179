package io.guimo.model;

/** What the settings of all decoders have in common: defaults, and bounds within which a machine can learn one. */
final class DecoderSize {
    static final int LAYERS = 6;
    static final int WIDTH = 256;
    static final int CONTEXT = 128;
    static final int VOCABULARY = 2048;

    private DecoderSize() {}

    /** Heads of 64 features, as GPT-2 and Llama have them, where the width allows it. */
    static int heads(int width) {
        return width % 64 == 0 ? width / 64 : 1;
    }

    static void require(int layers, int width, int heads, int context, int vocabulary, double dropout) {
        within("layers", layers, 1, 200);
        within("width", width, 8, 16_384);
        within("context", context, 8, 131_072);
        within("vocabulary", vocabulary, 257, 262_144);
        if (heads < 1 || width % heads != 0) {
            throw new IllegalArgumentException("heads " + heads + " must divide the width evenly, which is " + width);
        }
        if (!(dropout >= 0 && dropout < 1)) {
            throw new IllegalArgumentException("dropout " + dropout + " must be at least 0 and under 1, such as 0.1");
        }
    }

    private static void within(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + " " + value + " must be " + least + " to " + most);
        }
    }
}
