package io.guimo.commerce.price;

import io.guimo.commerce.price.TierRule.Flat;
import io.guimo.commerce.price.TierRule.Graduated;
import io.guimo.commerce.price.TierRule.Volume;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import java.util.ArrayList;
import java.util.Currency;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The written form of rules and policy, in storage and on frozen invoices:
 *
 * <pre>{"format": 1, "meters": {"images": {"kind": "graduated", "tiers":
 *     [{"upTo": 10000, "amount": "0.002", "per": 1}, {"amount": "0.001", "per": 1}]}}}</pre>
 *
 * <p>Format 2 adds {@code "aborts": "computed"}. What has the standard policy is still written in format 1, which readers of format 1 understand
 * rightly.
 */
public final class PriceTerms {
    private static final int FORMAT = 1;
    private static final int FORMAT_WITH_POLICY = 2;
    private static final JsonMapper JSON = JsonMapper.shared();

    private PriceTerms() {}

    public static ObjectNode write(Map<Meter, TierRule> rules, AbortPolicy aborts) {
        ObjectNode terms = JsonNodeFactory.instance.objectNode();
        boolean standard = aborts.equals(AbortPolicy.STANDARD);
        terms.put("format", standard ? FORMAT : FORMAT_WITH_POLICY);
        if (!standard) terms.put("aborts", aborts.text());
        ObjectNode meters = terms.putObject("meters");
        for (Meter meter : Meter.values()) {
            TierRule rule = rules.get(meter);
            if (rule == null) continue;
            ObjectNode written = meters.putObject(meter.wireName());
            written.put(
                    "kind",
                    switch (rule) {
                        case Flat _ -> "flat";
                        case Graduated _ -> "graduated";
                        case Volume _ -> "volume";
                    });
            ArrayNode tiers = written.putArray("tiers");
            for (Tier tier : rule.tiers()) {
                ObjectNode step = tiers.addObject();
                tier.upTo().ifPresent(upTo -> step.put("upTo", upTo));
                step.put("amount", tier.rate().amount().toDecimalString());
                step.put("per", tier.rate().per());
            }
        }
        return terms;
    }

    public static AbortPolicy readAborts(String json) {
        JsonNode aborts = checked(json).get("aborts");
        return aborts == null ? AbortPolicy.STANDARD : AbortPolicy.parse(aborts.stringValue());
    }

    private static JsonNode checked(String json) {
        JsonNode terms = JSON.readTree(json);
        int format = terms.required("format").intValue();
        if (format != FORMAT && format != FORMAT_WITH_POLICY) {
            throw new IllegalStateException(
                    "stored price of format " + format + "; this version reads 1 to " + FORMAT_WITH_POLICY);
        }
        return terms;
    }

    public static Map<Meter, TierRule> read(String json, Currency currency) {
        JsonNode terms = checked(json);
        Map<Meter, TierRule> rules = new EnumMap<>(Meter.class);
        for (Map.Entry<String, JsonNode> entry : terms.required("meters").properties()) {
            Meter meter = Meter.ofWireName(entry.getKey())
                    .orElseThrow(() -> new IllegalStateException("stored price of an unknown meter " + entry.getKey()));
            List<Tier> tiers = new ArrayList<>();
            for (JsonNode step : entry.getValue().required("tiers")) {
                Rate rate = new Rate(
                        Money.of(currency, step.required("amount").stringValue()),
                        step.required("per").longValue());
                JsonNode upTo = step.get("upTo");
                tiers.add(upTo == null ? Tier.rest(rate) : Tier.upTo(upTo.longValue(), rate));
            }
            String kind = entry.getValue().required("kind").stringValue();
            rules.put(
                    meter,
                    switch (kind) {
                        case "flat" -> new Flat(tiers.getFirst().rate());
                        case "graduated" -> new Graduated(tiers);
                        case "volume" -> new Volume(tiers);
                        default -> throw new IllegalStateException("stored price of an unknown kind " + kind);
                    });
        }
        return rules;
    }
}
