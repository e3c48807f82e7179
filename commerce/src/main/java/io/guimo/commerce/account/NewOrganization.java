package io.guimo.commerce.account;

import java.time.ZoneId;
import java.util.Currency;

/**
 * An organisation to be made.
 *
 * @param name as printed on its invoices, 1 to {@value Organization#LONGEST_NAME} characters
 * @param sandbox whether it is a trial whose clock may be turned
 * @param zone zone of its calendar
 * @param currency currency of its wallet, prices and invoices; fixed for good
 */
public record NewOrganization(String name, boolean sandbox, ZoneId zone, Currency currency) {
    public NewOrganization {
        Names.check("organisation", name);
        if (currency.getDefaultFractionDigits() < 0) {
            throw new IllegalArgumentException(
                    "currency " + currency + " has no smallest unit to invoice in; use one such as CNY");
        }
    }
}
