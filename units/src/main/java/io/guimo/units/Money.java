package io.guimo.units;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Currency;

/**
 * An exact amount of one currency, negative amounts included, kept to {@value #SCALE} decimal places ({@code numeric(30,12)} in storage).
 *
 * <p>Arithmetic is exact: an operation whose result needs more than {@value #SCALE} places throws {@link ArithmeticException} and never
 * rounds. The one place where money is rounded is {@link #roundToMinorUnit()}, once per invoice line.
 *
 * @param currency ISO 4217 currency
 * @param amount major units (yuan, dollars), at most {@value #SCALE} decimal places and 18 digits before the point
 */
public record Money(Currency currency, BigDecimal amount) implements Comparable<Money> {
    /** Decimal places kept. */
    public static final int SCALE = 12;

    private static final BigDecimal LIMIT = BigDecimal.TEN.pow(18);

    public Money {
        // setScale without a rounding mode throws when a digit would be lost
        amount = amount.setScale(SCALE);
        if (amount.abs().compareTo(LIMIT) >= 0) {
            throw new ArithmeticException("amount " + amount.toPlainString() + " is outside ±10^18 " + currency);
        }
    }

    public static Money of(Currency currency, String amount) {
        return new Money(currency, new BigDecimal(amount));
    }

    public static Money of(String currency, String amount) {
        return of(Currency.getInstance(currency), amount);
    }

    public static Money zero(Currency currency) {
        return new Money(currency, BigDecimal.ZERO);
    }

    public Money plus(Money other) {
        return new Money(same(other), amount.add(other.amount));
    }

    public Money minus(Money other) {
        return new Money(same(other), amount.subtract(other.amount));
    }

    public Money negate() {
        return new Money(currency, amount.negate());
    }

    /** Exact product with a count. */
    public Money times(long count) {
        return new Money(currency, amount.multiply(BigDecimal.valueOf(count)));
    }

    public int signum() {
        return amount.signum();
    }

    /** Rounds half even to the currency's smallest unit (cents, fen). */
    public Money roundToMinorUnit() {
        return new Money(currency, amount.setScale(currency.getDefaultFractionDigits(), RoundingMode.HALF_EVEN));
    }

    /** The amount without trailing zeros, such as {@code 0.002}; never in scientific notation. */
    public String toDecimalString() {
        return amount.signum() == 0 ? "0" : amount.stripTrailingZeros().toPlainString();
    }

    /** The amount as on a document, with the currency's own number of decimals, or more where the exact amount has more. */
    public String toDisplayString() {
        BigDecimal stripped = amount.stripTrailingZeros();
        int places = Math.max(currency.getDefaultFractionDigits(), stripped.scale());
        return stripped.setScale(Math.max(places, 0)).toPlainString();
    }

    @Override
    public int compareTo(Money other) {
        same(other);
        return amount.compareTo(other.amount);
    }

    @Override
    public String toString() {
        return toDecimalString() + " " + currency.getCurrencyCode();
    }

    private Currency same(Money other) {
        if (!currency.equals(other.currency)) {
            throw new IllegalArgumentException("cannot combine " + currency + " with " + other.currency);
        }
        return currency;
    }
}
