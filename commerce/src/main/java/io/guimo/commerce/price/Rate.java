package io.guimo.commerce.price;

import io.guimo.units.Money;
import java.math.BigDecimal;

/**
 * An exact price of a whole number of units, such as 0.50 USD per 1,000,000 tokens.
 *
 * @param amount price of {@code per} units, not negative
 * @param per units that {@code amount} pays for, at least 1
 */
public record Rate(Money amount, long per) {
    /**
     * @throws IllegalArgumentException if one unit's price needs more than {@value Money#SCALE} decimal places: it could not be kept
     *     exactly, and a rate that is rounded differs from what the customer was promised
     */
    public Rate {
        if (amount.signum() < 0) {
            throw new IllegalArgumentException("a rate of " + amount + " is negative; write 0 or more");
        }
        if (per < 1) {
            throw new IllegalArgumentException("a rate per " + per + " units; write 1 unit or more");
        }
        eachOf(amount, per);
    }

    /** The price of one unit. */
    public static Rate each(Money amount) {
        return new Rate(amount, 1);
    }

    /** The exact price of one unit. */
    public Money each() {
        return per == 1 ? amount : new Money(amount.currency(), eachOf(amount, per));
    }

    @Override
    public String toString() {
        return amount + (per == 1 ? " each" : " per " + per);
    }

    private static BigDecimal eachOf(Money amount, long per) {
        try {
            BigDecimal each = amount.amount().divide(BigDecimal.valueOf(per));
            return each.setScale(Money.SCALE);
        } catch (ArithmeticException inexact) {
            throw new IllegalArgumentException(
                    "a rate of " + amount + " per " + per + " units is finer than 10^-" + Money.SCALE + " "
                            + amount.currency()
                            + " a unit, the finest that is kept; write a price whose share for one unit has at most "
                            + Money.SCALE + " decimal places",
                    inexact);
        }
    }
}
