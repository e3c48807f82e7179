package io.guimo.commerce.invoice;

import static java.util.Objects.requireNonNull;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What stands on every invoice.
 *
 * @param seller legal name; the operator's name unless said
 * @param address lines under the seller's name, at most 6
 * @param taxId the seller's tax number
 * @param numberPrefix stands before the six and more digits of an invoice's number; {@code INV-} unless said
 */
public record InvoiceSettings(
        @Nullable String seller,
        @Nullable List<String> address,
        @Nullable String taxId,
        @Nullable String numberPrefix) {
    public InvoiceSettings {
        address = address == null ? List.of() : List.copyOf(address);
        if (address.size() > 6) {
            throw new IllegalArgumentException("an address of " + address.size() + " lines; write at most 6");
        }
        if (numberPrefix == null) numberPrefix = "INV-";
        if (numberPrefix.length() > 20) {
            throw new IllegalArgumentException("number prefix \"" + numberPrefix + "\": write at most 20 characters");
        }
    }

    public static InvoiceSettings defaults() {
        return new InvoiceSettings(null, null, null, null);
    }

    /** Empty where none was given. */
    @Override
    public List<String> address() {
        return requireNonNull(address);
    }

    /** {@code INV-} where none was given. */
    @Override
    public String numberPrefix() {
        return requireNonNull(numberPrefix);
    }
}
