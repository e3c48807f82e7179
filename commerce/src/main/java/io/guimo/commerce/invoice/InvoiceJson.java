package io.guimo.commerce.invoice;

import io.guimo.commerce.invoice.Invoice.Seller;
import io.guimo.commerce.invoice.Invoice.Status;
import io.guimo.commerce.invoice.InvoiceLine.Kind;
import io.guimo.commerce.price.Derivation.Step;
import io.guimo.commerce.price.PriceTerms;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.commerce.price.PriceVersionId;
import io.guimo.commerce.price.Rate;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.TimeWindow;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Currency;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * An invoice as JSON: the view that is handed out and, for a final one, what is stored and read back for good. Amounts are decimal strings in
 * major units, instants are UTC; sums of the lines are written for readers and computed again when read.
 */
public final class InvoiceJson {
    private static final int FORMAT = 1;
    private static final JsonMapper JSON = JsonMapper.shared();

    private InvoiceJson() {}

    public static ObjectNode write(Invoice invoice) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("object", "invoice");
        json.put("format", FORMAT);
        json.put("id", invoice.id().value());
        json.put("status", lower(invoice.status()));
        json.put("number", invoice.number().orElse(null));
        ObjectNode seller = json.putObject("seller");
        seller.put("name", invoice.seller().name());
        ArrayNode address = seller.putArray("address");
        invoice.seller().address().forEach(address::add);
        seller.put("taxId", invoice.seller().taxId());
        ObjectNode organization = json.putObject("organization");
        organization.put("id", invoice.organization().value());
        organization.put("name", invoice.organizationName());
        organization.put("sandbox", invoice.sandbox());
        write(json.putObject("period"), invoice.period())
                .put("zone", invoice.zone().getId());
        json.put("currency", invoice.currency().getCurrencyCode());
        ArrayNode lines = json.putArray("lines");
        for (InvoiceLine line : invoice.lines()) write(lines.addObject(), line);
        json.put("exactTotal", invoice.exactTotal().toDecimalString());
        json.put("rounding", invoice.rounding().toDecimalString());
        json.put("total", invoice.total().toDecimalString());
        json.put("paidFromCredit", invoice.paidFromCredit().toDecimalString());
        json.put("writtenOff", invoice.writtenOff().toDecimalString());
        json.put("due", invoice.due().toDecimalString());
        json.put("finalizedAt", invoice.finalizedAt().map(Instant::toString).orElse(null));
        ArrayNode prices = json.putArray("prices");
        for (PriceVersion price : invoice.prices()) {
            ObjectNode written = prices.addObject();
            written.put("id", price.id().value());
            written.put("plan", price.plan());
            written.put("product", price.product());
            written.put("validFrom", price.validFrom().toString());
            written.set("terms", PriceTerms.write(price.rules(), price.aborts()));
        }
        return json;
    }

    static Invoice read(String document) {
        JsonNode json = JSON.readTree(document);
        int format = json.required("format").intValue();
        if (format != FORMAT) {
            throw new IllegalStateException("stored invoice of format " + format + "; this version reads " + FORMAT);
        }
        Currency currency = Currency.getInstance(text(json, "currency"));
        JsonNode seller = json.required("seller");
        List<String> address = new ArrayList<>();
        for (JsonNode line : seller.required("address")) address.add(line.stringValue());
        JsonNode organization = json.required("organization");
        List<InvoiceLine> lines = new ArrayList<>();
        for (JsonNode line : json.required("lines")) lines.add(readLine(line, currency));
        List<PriceVersion> prices = new ArrayList<>();
        for (JsonNode price : json.required("prices")) {
            prices.add(new PriceVersion(
                    new PriceVersionId(text(price, "id")),
                    text(price, "plan"),
                    text(price, "product"),
                    currency,
                    PriceTerms.read(price.required("terms").toString(), currency),
                    PriceTerms.readAborts(price.required("terms").toString()),
                    Instant.parse(text(price, "validFrom"))));
        }
        return new Invoice(
                new InvoiceId(text(json, "id")),
                Status.valueOf(text(json, "status").toUpperCase(Locale.ROOT)),
                Optional.ofNullable(optionalText(json, "number")),
                new Seller(text(seller, "name"), address, optionalText(seller, "taxId")),
                new OrganizationId(text(organization, "id")),
                text(organization, "name"),
                organization.required("sandbox").booleanValue(),
                readPeriod(json),
                ZoneId.of(text(json.required("period"), "zone")),
                currency,
                lines,
                Money.of(currency, text(json, "paidFromCredit")),
                Money.of(currency, text(json, "writtenOff")),
                prices,
                Optional.ofNullable(optionalText(json, "finalizedAt")).map(Instant::parse));
    }

    private static void write(ObjectNode json, InvoiceLine line) {
        json.put("position", line.position());
        json.put("kind", lower(line.kind()));
        json.put("product", line.product());
        json.put("meter", line.meter().map(Meter::wireName).orElse(null));
        json.put("priceVersion", line.price().map(PriceVersionId::value).orElse(null));
        write(json.putObject("period"), line.period());
        json.put("quantity", line.quantity());
        json.put("exact", line.exact().toDecimalString());
        json.put("amount", line.amount().toDecimalString());
        ArrayNode tiers = json.putArray("tiers");
        for (Step step : line.walk()) {
            ObjectNode written = tiers.addObject();
            written.put("tier", step.tier());
            written.put("after", step.after());
            written.put("quantity", step.quantity());
            written.putObject("rate")
                    .put("amount", step.rate().amount().toDecimalString())
                    .put("per", step.rate().per());
            written.put("amount", step.amount().toDecimalString());
        }
    }

    private static InvoiceLine readLine(JsonNode json, Currency currency) {
        List<Step> walk = new ArrayList<>();
        for (JsonNode step : json.required("tiers")) {
            JsonNode rate = step.required("rate");
            walk.add(new Step(
                    step.required("tier").intValue(),
                    step.required("after").longValue(),
                    step.required("quantity").longValue(),
                    new Rate(
                            Money.of(currency, text(rate, "amount")),
                            rate.required("per").longValue()),
                    Money.of(currency, text(step, "amount"))));
        }
        return new InvoiceLine(
                json.required("position").intValue(),
                Kind.valueOf(text(json, "kind").toUpperCase(Locale.ROOT)),
                text(json, "product"),
                Optional.ofNullable(optionalText(json, "meter"))
                        .map(name -> Meter.ofWireName(name).orElseThrow()),
                Optional.ofNullable(optionalText(json, "priceVersion")).map(PriceVersionId::new),
                readPeriod(json),
                json.required("quantity").longValue(),
                Money.of(currency, text(json, "exact")),
                Money.of(currency, text(json, "amount")),
                walk);
    }

    private static ObjectNode write(ObjectNode json, TimeWindow period) {
        return json.put("start", period.start().toString())
                .put("end", period.end().toString());
    }

    private static TimeWindow readPeriod(JsonNode json) {
        JsonNode period = json.required("period");
        return new TimeWindow(Instant.parse(text(period, "start")), Instant.parse(text(period, "end")));
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static String text(JsonNode json, String name) {
        return json.required(name).stringValue();
    }

    private static @Nullable String optionalText(JsonNode json, String name) {
        JsonNode value = json.required(name);
        return value.isNull() ? null : value.stringValue();
    }
}
