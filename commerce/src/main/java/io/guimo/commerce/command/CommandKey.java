package io.guimo.commerce.command;

/**
 * The name that a caller gives to a command, to send it again without doing it again.
 *
 * @param scope whose names these are, such as an organisation's id; the same value in another scope is another command
 * @param value 1 to 255 characters
 */
public record CommandKey(String scope, String value) {
    public CommandKey {
        if (value.isBlank() || value.length() > 255) {
            throw new IllegalArgumentException(
                    "an idempotency key of " + value.length() + " characters; write 1 to 255, not only blanks");
        }
        if (scope.isBlank() || scope.length() > 255) {
            throw new IllegalArgumentException(
                    "a scope of " + scope.length() + " characters; write 1 to 255, not only blanks");
        }
    }
}
