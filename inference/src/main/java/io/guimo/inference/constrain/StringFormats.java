package io.guimo.inference.constrain;

import java.util.Map;

/**
 * What the formats of JSON Schema 2020-12 (validation, section 7.3) require, as regular expressions; where a format is endless, such as an address, the
 * usual part of it. A format that is not here is an annotation, as the standard has it.
 */
final class StringFormats {
    private static final String DATE = "(?:"
            + "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
            + "|[0-9]{4}-(?:0[13-9]|1[0-2])-(?:29|30)"
            + "|[0-9]{4}-(?:0[13578]|1[02])-31"
            + "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)";
    private static final String TIME =
            "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";
    private static final String LABEL = "[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?";
    /** Validators of addresses know which domains there are. */
    private static final String HOST =
            LABEL + "(?:\\." + LABEL + "){0,3}\\.(?:com|org|net|edu|info|io|de|fr|uk|us|eu|cn|jp|in|br)";

    private static final String BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";

    static final Map<String, String> PATTERNS = Map.ofEntries(
            Map.entry("date", DATE),
            Map.entry("time", TIME),
            Map.entry("date-time", DATE + "T" + TIME),
            Map.entry(
                    "duration",
                    "P(?:[0-9]{1,4}W|[0-9]{1,4}Y(?:[0-9]{1,2}M(?:[0-9]{1,2}D)?)?|[0-9]{1,2}M(?:[0-9]{1,2}D)?|[0-9]{1,3}D"
                            + "|T(?:[0-9]{1,3}H(?:[0-9]{1,2}M(?:[0-9]{1,2}S)?)?|[0-9]{1,3}M(?:[0-9]{1,2}S)?|[0-9]{1,4}S))"),
            Map.entry("uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
            Map.entry("email", "[A-Za-z0-9_+-]{1,20}(?:\\.[A-Za-z0-9_+-]{1,20}){0,2}@" + HOST),
            Map.entry("hostname", HOST),
            Map.entry("ipv4", BYTE + "(?:\\." + BYTE + "){3}"),
            Map.entry("ipv6", "[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}"),
            Map.entry("uri", "https?://" + HOST + "(?::[1-9][0-9]{1,3})?(?:/[A-Za-z0-9._~-]{1,60}){0,8}/?"));

    private StringFormats() {}
}
