package io.guimo.commerce.invoice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.commerce.invoice.Invoice.Seller;
import io.guimo.commerce.invoice.Invoice.Status;
import io.guimo.commerce.invoice.InvoiceLine.Kind;
import io.guimo.commerce.price.Derivation;
import io.guimo.commerce.price.PriceVersionId;
import io.guimo.commerce.price.Pricing;
import io.guimo.commerce.price.Rate;
import io.guimo.commerce.price.Tier;
import io.guimo.commerce.price.TierRule;
import io.guimo.commerce.price.TierRule.Flat;
import io.guimo.commerce.price.TierRule.Graduated;
import io.guimo.commerce.price.TierRule.Volume;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.TimeWindow;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Currency;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openpdf.text.pdf.PdfReader;
import org.openpdf.text.pdf.parser.PdfTextExtractor;

class InvoicePdfTest {
    private static final Currency CNY = Currency.getInstance("CNY");
    private static final ZoneId SHANGHAI = ZoneId.of("Asia/Shanghai");
    private static final TimeWindow NOVEMBER = TimeWindow.monthOf(Instant.parse("2026-11-20T00:00:00Z"), SHANGHAI);

    @TempDir
    Path folder;

    @Test
    void print_finalInvoice_carriesItsFactsInBothLanguages() throws Exception {
        byte[] pdf = new InvoicePdf(font()).print(invoice("杭州青禾服饰有限公司 Qinghe Apparel", lines()));
        Files.write(folder.resolve("invoice.pdf"), pdf);
        String text = text(pdf);
        assertThat(text)
                .contains("账单 Invoice", "INV-000042", "杭州青禾服饰有限公司 Qinghe Apparel", "2026-11-01 – 2026-11-30")
                .contains("photo-labels", "图片 Images", "10,250", "20.25", "阶梯 Tier 1", "1 – 10,000", "阶梯 Tier 2")
                .contains("Exact total", "Rounding", "应付金额 Amount due", "1 / 1")
                .doesNotContain("草稿 Draft");
        // a subset of the font: the whole one has megabytes
        assertThat(pdf.length).isLessThan(80_000);
        assertThat(new String(pdf, StandardCharsets.ISO_8859_1)).containsPattern("/BaseFont/[A-Z]{6}\\+");
    }

    @Test
    void print_characterThatTheFontLacks_isMarkedNotLeftOut() throws Exception {
        String text = text(new InvoicePdf(font()).print(invoice("Shop 🦄 龘", lines())));
        assertThat(text).contains("Shop 〓 〓");
    }

    @Test
    void print_manyLines_continuesOnFurtherPagesUnderTheHeader() throws Exception {
        List<InvoiceLine> many = new ArrayList<>();
        for (int i = 1; i <= 60; i++) {
            many.add(line(i, Kind.USAGE, "model-" + i, Meter.REQUESTS, new Flat(Rate.each(cny("0.01"))), 0, i));
        }
        byte[] pdf = new InvoicePdf(font()).print(invoice("Qinghe", many));
        Files.write(folder.resolve("long.pdf"), pdf);
        try (PdfReader reader = new PdfReader(pdf)) {
            assertThat(reader.getNumberOfPages()).isGreaterThan(2);
            PdfTextExtractor extractor = new PdfTextExtractor(reader);
            for (int page = 1; page <= 2; page++)
                assertThat(extractor.getTextFromPage(page)).contains("单价 Unit price");
        }
    }

    @Test
    void font_missingOrWithoutChinese_refusedWithWhatToUse() throws Exception {
        assertThatThrownBy(() -> new InvoicePdf(folder.resolve("none.ttf"))).hasMessageContaining("cannot be read");
        Path text = Files.writeString(folder.resolve("text.ttf"), "not a font");
        assertThatThrownBy(() -> new InvoicePdf(text)).hasMessageContaining("cannot be read");
    }

    private static Invoice invoice(String name, List<InvoiceLine> lines) {
        return new Invoice(
                InvoiceId.next(),
                Status.FINAL,
                Optional.of("INV-000042"),
                new Seller("规模云 Guimo Cloud", List.of("北京市海淀区中关村街1号", "service@example.com"), "91110108MA00000000"),
                new OrganizationId("org_01kaqs3e5w8q2v3x5y7z9a1b2c"),
                name,
                false,
                NOVEMBER,
                SHANGHAI,
                CNY,
                lines,
                cny("12"),
                cny("0"),
                List.of(),
                Optional.of(Instant.parse("2026-11-30T16:05:00Z")));
    }

    private static List<InvoiceLine> lines() {
        TierRule images =
                new Graduated(List.of(Tier.upTo(10_000, Rate.each(cny("0.002"))), Tier.rest(Rate.each(cny("0.001")))));
        TierRule volume =
                new Volume(List.of(Tier.upTo(100, Rate.each(cny("0.01"))), Tier.rest(Rate.each(cny("0.008")))));
        TierRule tokens = new Flat(new Rate(cny("0.50"), 1_000_000));
        return List.of(
                line(1, Kind.USAGE, "photo-labels", Meter.IMAGES, images, 0, 10_250),
                line(2, Kind.USAGE, "goes-well-with", Meter.REQUESTS, volume, 0, 1_234),
                line(3, Kind.USAGE, "search", Meter.INPUT_TOKENS, tokens, 0, 1_234_567),
                line(4, Kind.ADJUSTMENT, "goes-well-with", Meter.REQUESTS, volume, 99, 2),
                new InvoiceLine(
                        5,
                        Kind.FEE,
                        "pro",
                        Optional.empty(),
                        Optional.empty(),
                        NOVEMBER,
                        1,
                        cny("299"),
                        cny("299"),
                        List.of()));
    }

    private static InvoiceLine line(
            int position, Kind kind, String product, Meter meter, TierRule rule, long before, long used) {
        Derivation derivation = Pricing.charge(rule, before, used);
        TimeWindow period =
                kind == Kind.ADJUSTMENT ? TimeWindow.monthOf(NOVEMBER.start().minusSeconds(1), SHANGHAI) : NOVEMBER;
        return new InvoiceLine(
                position,
                kind,
                product,
                Optional.of(meter),
                Optional.of(new PriceVersionId("price_01kaqs3e5w8q2v3x5y7z9a1b2c")),
                period,
                used,
                derivation.amount(),
                derivation.amount().roundToMinorUnit(),
                derivation.steps());
    }

    /** A part of WenQuanYi Micro Hei with the characters of the labels and of these tests, as a collection (.ttc) like the whole one. */
    static Path font() throws URISyntaxException {
        return Path.of(Objects.requireNonNull(InvoicePdfTest.class.getResource("wqy-microhei-subset.ttc"))
                .toURI());
    }

    private static String text(byte[] pdf) throws IOException {
        try (PdfReader reader = new PdfReader(pdf)) {
            return new PdfTextExtractor(reader).getTextFromPage(1);
        }
    }

    private static Money cny(String amount) {
        return Money.of(CNY, amount);
    }
}
