package io.guimo.model.decoder;

/**
 * Tokens to evaluate together, of any number of sequences: pieces of prompts and tokens just generated. Arrays with an entry for each token; they are
 * read, never kept.
 *
 * @param tokens ids
 * @param positions for one sequence they go up by one, from where its cached state ends
 * @param sequences from 0
 * @param wantsLogits whether the logits after the token are read
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record DecoderStep(int[] tokens, int[] positions, int[] sequences, boolean[] wantsLogits) {
    public DecoderStep {
        if (tokens.length == 0) throw new IllegalArgumentException("a step has at least one token");
        if (positions.length != tokens.length
                || sequences.length != tokens.length
                || wantsLogits.length != tokens.length) {
            throw new IllegalArgumentException("a step of " + tokens.length + " tokens has " + positions.length
                    + " positions, " + sequences.length + " sequences and " + wantsLogits.length + " wishes");
        }
    }

    int size() {
        return tokens.length;
    }

    int token(int index) {
        return tokens[index];
    }

    int position(int index) {
        return positions[index];
    }

    void requireTokensBelow(int vocabularySize) {
        for (int token : tokens) {
            if (token < 0 || token >= vocabularySize) {
                throw new IllegalArgumentException(
                        "there is no token " + token + "; there are 0 to " + (vocabularySize - 1));
            }
        }
    }
}
