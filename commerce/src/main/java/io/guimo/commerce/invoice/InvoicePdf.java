package io.guimo.commerce.invoice;

import static java.util.Objects.requireNonNull;

import io.guimo.commerce.price.Derivation.Step;
import io.guimo.commerce.price.Rate;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.TimeWindow;
import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.openpdf.text.Document;
import org.openpdf.text.DocumentException;
import org.openpdf.text.Element;
import org.openpdf.text.Font;
import org.openpdf.text.PageSize;
import org.openpdf.text.Paragraph;
import org.openpdf.text.Phrase;
import org.openpdf.text.Rectangle;
import org.openpdf.text.pdf.BaseFont;
import org.openpdf.text.pdf.PdfContentByte;
import org.openpdf.text.pdf.PdfPCell;
import org.openpdf.text.pdf.PdfPTable;
import org.openpdf.text.pdf.PdfPageEventHelper;
import org.openpdf.text.pdf.PdfTemplate;
import org.openpdf.text.pdf.PdfWriter;

/**
 * Prints an invoice on A4, with labels in Chinese and English. The characters that are used are embedded, so that the document looks the same
 * everywhere.
 *
 * <p>OpenPDF leaves out a character that the font lacks without a word. So every character is looked up first: labels must all be there, in
 * a name that somebody gave a missing one is printed as the geta mark, which typographers set for it.
 */
public final class InvoicePdf {
    private static final float MARGIN = 48;
    private static final float FOOTER = 36;
    private static final String GETA = "\u3013";
    private static final Color INK = new Color(0x1f, 0x24, 0x2c);
    private static final Color SOFT = new Color(0x6a, 0x72, 0x7d);
    private static final Color RULE = new Color(0xd5, 0xd9, 0xdf);
    private static final Color SHADE = new Color(0xf4, 0xf6, 0xf8);
    private static final Color ACCENT = new Color(0x1b, 0x5e, 0x8c);
    private static final DateTimeFormatter DATE = DateTimeFormatter.ISO_LOCAL_DATE;

    private final BaseFont face;
    private final Font title;
    private final Font heading;
    private final Font body;
    private final Font strong;
    private final Font small;

    /**
     * @param font TrueType font, or collection of which the first font is taken, with Chinese and Latin characters, such as WenQuanYi Micro
     *     Hei
     * @throws IllegalArgumentException if it cannot be read or lacks a character of the labels
     */
    public InvoicePdf(Path font) {
        face = load(font);
        for (Label label : Label.values()) {
            int missing =
                    label.text().codePoints().filter(c -> !has(c)).findFirst().orElse(-1);
            if (missing >= 0) {
                throw new IllegalArgumentException("the font " + font + " lacks \"" + Character.toString(missing)
                        + "\"; use one with Chinese and Latin characters, such as WenQuanYi Micro Hei");
            }
        }
        title = new Font(face, 22, Font.NORMAL, ACCENT);
        heading = new Font(face, 12, Font.BOLD, INK);
        body = new Font(face, 9, Font.NORMAL, INK);
        strong = new Font(face, 9, Font.BOLD, INK);
        small = new Font(face, 7.5f, Font.NORMAL, SOFT);
    }

    /** The document's bytes. */
    public byte[] print(Invoice invoice) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Document document = new Document(PageSize.A4, MARGIN, MARGIN, MARGIN, MARGIN + FOOTER);
        PdfWriter writer = PdfWriter.getInstance(document, bytes);
        writer.setPageEvent(new Footer(invoice));
        document.addTitle("Invoice " + invoice.number().orElse("(draft)"));
        document.addAuthor(invoice.seller().name());
        document.open();
        document.add(head(invoice));
        document.add(parties(invoice));
        document.add(lines(invoice));
        document.add(totals(invoice));
        document.add(notes(invoice));
        document.close();
        return bytes.toByteArray();
    }

    private PdfPTable head(Invoice invoice) {
        PdfPTable table = table(55, 45);
        PdfPCell left = plain();
        left.addElement(new Paragraph(18, printable(invoice.seller().name()), heading));
        for (String line : invoice.seller().address()) left.addElement(new Paragraph(11, printable(line), small));
        String taxId = invoice.seller().taxId();
        if (taxId != null) left.addElement(new Paragraph(11, Label.TAX_ID.text() + "  " + printable(taxId), small));
        table.addCell(left);
        PdfPCell right = plain();
        right.addElement(aligned(new Paragraph(24, Label.INVOICE.text(), title)));
        String number = invoice.number().map(this::printable).orElse(Label.DRAFT.text());
        right.addElement(aligned(new Paragraph(16, number, heading)));
        if (invoice.sandbox()) right.addElement(aligned(new Paragraph(12, Label.SANDBOX.text(), small)));
        table.addCell(right);
        table.setSpacingAfter(18);
        return table;
    }

    private PdfPTable parties(Invoice invoice) {
        PdfPTable table = table(46, 27, 27);
        table.addCell(fact(
                Label.BILLED_TO,
                printable(invoice.organizationName()),
                printable(invoice.organization().value())));
        table.addCell(fact(
                Label.PERIOD,
                period(invoice.period(), invoice.zone()),
                invoice.zone().getId()));
        table.addCell(fact(
                Label.ISSUED,
                invoice.finalizedAt().map(i -> date(i, invoice.zone())).orElse("–"),
                Label.CURRENCY.text() + "  " + invoice.currency().getCurrencyCode()));
        table.setSpacingAfter(18);
        return table;
    }

    private PdfPTable lines(Invoice invoice) {
        PdfPTable table = table(45, 14, 17, 13, 11);
        table.setHeaderRows(1);
        table.addCell(header(Label.ITEM, Element.ALIGN_LEFT));
        table.addCell(header(Label.QUANTITY, Element.ALIGN_RIGHT));
        table.addCell(header(Label.UNIT_PRICE, Element.ALIGN_RIGHT));
        table.addCell(header(Label.EXACT, Element.ALIGN_RIGHT));
        table.addCell(header(Label.AMOUNT, Element.ALIGN_RIGHT));
        for (InvoiceLine line : invoice.lines()) line(table, line, invoice);
        if (invoice.lines().isEmpty()) {
            PdfPCell nothing = cell(Label.NOTHING_USED.text(), body, Element.ALIGN_LEFT);
            nothing.setColspan(5);
            table.addCell(nothing);
        }
        return table;
    }

    private void line(PdfPTable table, InvoiceLine line, Invoice invoice) {
        PdfPCell item = plain();
        item.setPaddingTop(7);
        item.addElement(new Paragraph(12, printable(line.product()), strong));
        item.addElement(new Paragraph(
                11, line.meter().map(InvoicePdf::label).orElse(Label.FEE).text(), small));
        if (line.kind() == InvoiceLine.Kind.ADJUSTMENT) {
            String month = Label.ADJUSTMENT.text() + " " + period(line.period(), invoice.zone());
            item.addElement(new Paragraph(11, month, small));
        }
        line.price().ifPresent(id -> item.addElement(new Paragraph(10, Label.PRICE.text() + " " + id.value(), small)));
        table.addCell(item);
        table.addCell(top(count(line.quantity()), strong));
        table.addCell(top(line.meter().isEmpty() ? digits(line.exact()) : "", body));
        table.addCell(top(digits(line.exact()), body));
        table.addCell(top(digits(line.amount()), strong));
        for (Step step : line.walk()) {
            table.addCell(indented(tier(step)));
            table.addCell(cell(count(step.quantity()), small, Element.ALIGN_RIGHT));
            table.addCell(cell(rate(step.rate()), small, Element.ALIGN_RIGHT));
            table.addCell(cell(digits(step.amount()), small, Element.ALIGN_RIGHT));
            table.addCell(cell("", small, Element.ALIGN_RIGHT));
        }
        PdfPCell rule = plain();
        rule.setColspan(5);
        rule.setFixedHeight(6);
        rule.setBorder(Rectangle.BOTTOM);
        rule.setBorderColor(RULE);
        rule.setBorderWidthBottom(.5f);
        table.addCell(rule);
    }

    private PdfPTable totals(Invoice invoice) {
        PdfPTable table = table(46, 34, 20);
        table.setKeepTogether(true);
        table.setSpacingBefore(10);
        total(table, Label.EXACT_TOTAL, digits(invoice.exactTotal()), body, false);
        total(table, Label.ROUNDING, digits(invoice.rounding()), body, false);
        total(table, Label.TOTAL, digits(invoice.total()), strong, false);
        if (invoice.paidFromCredit().signum() != 0) {
            total(table, Label.PAID_FROM_CREDIT, digits(invoice.paidFromCredit().negate()), body, false);
        }
        if (invoice.writtenOff().signum() != 0) {
            total(table, Label.WRITTEN_OFF, digits(invoice.writtenOff().negate()), body, false);
        }
        total(table, Label.DUE, invoice.currency().getCurrencyCode() + "  " + digits(invoice.due()), heading, true);
        return table;
    }

    private void total(PdfPTable table, Label label, String value, Font font, boolean shaded) {
        PdfPCell blank = plain();
        table.addCell(blank);
        PdfPCell name = cell(label.text(), font, Element.ALIGN_LEFT);
        PdfPCell amount = cell(value, font, Element.ALIGN_RIGHT);
        for (PdfPCell cell : new PdfPCell[] {name, amount}) {
            cell.setPadding(5);
            cell.setNoWrap(true);
            if (shaded) cell.setBackgroundColor(SHADE);
        }
        table.addCell(name);
        table.addCell(amount);
    }

    private Paragraph notes(Invoice invoice) {
        Paragraph notes = new Paragraph(12, "", small);
        notes.setSpacingBefore(22);
        notes.add(new Phrase(12, Label.NOTE_ROUNDING.text() + "\n", small));
        notes.add(new Phrase(12, Label.NOTE_RECEIPTS.text() + "\n", small));
        if (invoice.status() == Invoice.Status.DRAFT) notes.add(new Phrase(12, Label.NOTE_DRAFT.text() + "\n", small));
        if (invoice.sandbox()) notes.add(new Phrase(12, Label.NOTE_SANDBOX.text(), small));
        return notes;
    }

    /** {@code Tier 2 · units 10,001 – 10,250}, or for units whose earlier price is given back: {@code taken back}. */
    private static String tier(Step step) {
        long units = Math.abs(step.quantity());
        String range = count(step.after() + 1) + (units == 1 ? "" : " – " + count(step.after() + units));
        return Label.TIER.text() + " " + step.tier() + "  ·  "
                + (step.quantity() < 0 ? Label.TAKEN_BACK.text() + " " : "") + range;
    }

    private static String rate(Rate rate) {
        return digits(rate.amount()) + (rate.per() == 1 ? "" : " / " + count(rate.per()));
    }

    private PdfPCell fact(Label label, String value, String detail) {
        PdfPCell cell = plain();
        cell.addElement(new Paragraph(11, label.text(), small));
        cell.addElement(new Paragraph(14, value, strong));
        cell.addElement(new Paragraph(11, detail, small));
        return cell;
    }

    private PdfPCell header(Label label, int alignment) {
        PdfPCell cell = cell(label.text(), small, alignment);
        cell.setBackgroundColor(SHADE);
        cell.setPaddingTop(5);
        cell.setPaddingBottom(6);
        return cell;
    }

    private PdfPCell top(String text, Font font) {
        PdfPCell cell = cell(text, font, Element.ALIGN_RIGHT);
        cell.setPaddingTop(9.5f);
        return cell;
    }

    private PdfPCell indented(String text) {
        PdfPCell cell = cell(text, small, Element.ALIGN_LEFT);
        cell.setPaddingLeft(16);
        return cell;
    }

    private static PdfPCell cell(String text, Font font, int alignment) {
        PdfPCell cell = new PdfPCell(new Phrase(text, font));
        cell.setBorder(Rectangle.NO_BORDER);
        cell.setHorizontalAlignment(alignment);
        cell.setPadding(4);
        cell.setPaddingTop(1);
        cell.setPaddingBottom(2);
        return cell;
    }

    private static PdfPCell plain() {
        PdfPCell cell = new PdfPCell();
        cell.setBorder(Rectangle.NO_BORDER);
        cell.setPadding(4);
        return cell;
    }

    private static PdfPTable table(float... widths) {
        PdfPTable table = new PdfPTable(widths);
        table.setWidthPercentage(100);
        return table;
    }

    private static Paragraph aligned(Paragraph paragraph) {
        paragraph.setAlignment(Element.ALIGN_RIGHT);
        return paragraph;
    }

    private String printable(String text) {
        StringBuilder shown = new StringBuilder();
        text.codePoints().forEach(c -> shown.append(has(c) ? Character.toString(c) : GETA));
        return shown.toString();
    }

    private boolean has(int codePoint) {
        return codePoint == ' ' || face.charExists(codePoint);
    }

    private static String period(TimeWindow period, ZoneId zone) {
        // the last day that belongs to it
        return date(period.start(), zone) + " – " + date(period.end().minusNanos(1), zone);
    }

    private static String date(Instant instant, ZoneId zone) {
        return DATE.format(instant.atZone(zone));
    }

    private static String count(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    /** Exact, with the currency's decimals at least and thousands apart. */
    private static String digits(Money money) {
        String exact = money.toDisplayString();
        int point = exact.indexOf('.');
        String whole = point < 0 ? exact : exact.substring(0, point);
        String minus = whole.startsWith("-") ? "-" : "";
        String grouped =
                String.format(Locale.ROOT, "%,d", new BigDecimal(whole).abs().toBigInteger());
        return minus + grouped + (point < 0 ? "" : exact.substring(point));
    }

    private static Label label(Meter meter) {
        return switch (meter) {
            case IMAGES -> Label.IMAGES;
            case REQUESTS -> Label.REQUESTS;
            case INPUT_TOKENS -> Label.INPUT_TOKENS;
            case CACHED_INPUT_TOKENS -> Label.CACHED_INPUT_TOKENS;
            case OUTPUT_TOKENS -> Label.OUTPUT_TOKENS;
        };
    }

    private static BaseFont load(Path font) {
        // ",0" names the first font of a collection
        String name = font.toString().toLowerCase(Locale.ROOT).endsWith(".ttc") ? font + ",0" : font.toString();
        try {
            BaseFont face =
                    BaseFont.createFont(name, BaseFont.IDENTITY_H, BaseFont.EMBEDDED, BaseFont.NOT_CACHED, null, null);
            face.setSubset(true);
            return face;
        } catch (IOException | DocumentException e) {
            throw new IllegalArgumentException("the font " + font + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** Number of the page and of the pages, which is known only when the last one is written. */
    private final class Footer extends PdfPageEventHelper {
        private final String document;
        private @Nullable PdfTemplate pageCount;

        Footer(Invoice invoice) {
            document = printable(invoice.seller().name()) + "  ·  " + Label.INVOICE.text() + " "
                    + printable(invoice.number().orElse(Label.DRAFT.text()));
        }

        @Override
        public void onOpenDocument(PdfWriter writer, Document opened) {
            pageCount = writer.getDirectContent().createTemplate(40, 12);
        }

        @Override
        public void onEndPage(PdfWriter writer, Document page) {
            PdfContentByte canvas = writer.getDirectContent();
            float y = page.bottom() - FOOTER / 2;
            canvas.setColorStroke(RULE);
            canvas.setLineWidth(.5f);
            canvas.moveTo(page.left(), y + 14);
            canvas.lineTo(page.right(), y + 14);
            canvas.stroke();
            String number = writer.getPageNumber() + " / ";
            float right = page.right() - 12;
            canvas.beginText();
            canvas.setColorFill(SOFT);
            canvas.setFontAndSize(face, 7.5f);
            canvas.showTextAligned(Element.ALIGN_LEFT, document, page.left(), y, 0);
            canvas.showTextAligned(Element.ALIGN_RIGHT, number, right, y, 0);
            canvas.endText();
            canvas.addTemplate(requireNonNull(pageCount), right, y);
        }

        @Override
        public void onCloseDocument(PdfWriter writer, Document closed) {
            PdfTemplate count = requireNonNull(pageCount);
            count.beginText();
            count.setColorFill(SOFT);
            count.setFontAndSize(face, 7.5f);
            count.setTextMatrix(0, 0);
            count.showText(String.valueOf(writer.getPageNumber() - 1));
            count.endText();
        }
    }

    /** The fixed words, Chinese first. An invoice for tax purposes (发票) is another document; this one is a bill. */
    private enum Label {
        INVOICE("账单 Invoice"),
        DRAFT("草稿 Draft"),
        SANDBOX("测试环境 Sandbox"),
        TAX_ID("税号 Tax ID"),
        BILLED_TO("客户 Billed to"),
        PERIOD("账期 Billing period"),
        ISSUED("开具日期 Issued"),
        CURRENCY("币种 Currency"),
        ITEM("项目 Item"),
        QUANTITY("数量 Quantity"),
        UNIT_PRICE("单价 Unit price"),
        EXACT("精确金额 Exact"),
        AMOUNT("金额 Amount"),
        PRICE("价格版本 Price version"),
        TIER("阶梯 Tier"),
        TAKEN_BACK("退回 taken back"),
        ADJUSTMENT("以往账期调整 Adjustment of"),
        FEE("套餐月费 Monthly fee"),
        NOTHING_USED("本期没有用量 Nothing was used in this period"),
        EXACT_TOTAL("精确合计 Exact total"),
        ROUNDING("舍入 Rounding"),
        TOTAL("合计 Total"),
        PAID_FROM_CREDIT("预付余额抵扣 Paid from credit"),
        WRITTEN_OFF("已核销 Written off"),
        DUE("应付金额 Amount due"),
        NOTE_ROUNDING(
                "每行金额按四舍六入五成双规则取整一次，精确到最小货币单位。 Each line is rounded once, half to even, to the currency's smallest unit."),
        NOTE_RECEIPTS("每个请求都有可复算的收据。 Every request has a receipt that can be replayed to the same amount."),
        NOTE_DRAFT("草稿随用量变化，账期结束后定稿。 A draft follows the usage and becomes final after the billing period."),
        NOTE_SANDBOX("测试环境账单，无需付款。 Sandbox invoice: no payment is due."),
        IMAGES("图片 Images"),
        REQUESTS("请求 Requests"),
        INPUT_TOKENS("输入词元 Input tokens"),
        CACHED_INPUT_TOKENS("缓存输入词元 Cached input tokens"),
        OUTPUT_TOKENS("输出词元 Output tokens");

        private final String text;

        Label(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }
    }
}
