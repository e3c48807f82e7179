package io.guimo.launch;

import io.guimo.commerce.invoice.Invoice;
import io.guimo.commerce.invoice.InvoiceJson;
import io.guimo.commerce.invoice.InvoiceLine;
import io.guimo.commerce.ledger.LedgerReport;
import io.guimo.commerce.ledger.Receipt;
import io.guimo.commerce.meter.UsageFilter;
import io.guimo.commerce.meter.UsageSum;
import io.guimo.commerce.price.Derivation;
import io.guimo.economics.UnitEconomics;
import io.guimo.evaluate.EvaluationReport;
import io.guimo.registry.GateResult;
import io.guimo.registry.ModelOwner;
import io.guimo.registry.ModelVersion;
import io.guimo.registry.Promotion;
import io.guimo.registry.PromotionGround;
import io.guimo.registry.Provenance;
import io.guimo.registry.RunRecord;
import io.guimo.units.Money;
import java.io.IOException;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Gathers what {@code up} did from the parts that know it, as {@link UpReport}, and prints it for a person. */
final class Reporter {
    private final Service service;
    private final Demonstration.@Nullable Outcome demonstration;
    private final @Nullable Path pdf;

    /** @param pdf the demonstration's invoice as a document */
    Reporter(Service service, Demonstration.@Nullable Outcome demonstration, @Nullable Path pdf) {
        this.service = service;
        this.demonstration = demonstration;
        this.pdf = pdf;
    }

    UpReport gather(List<Stages.Timing> stages) throws IOException {
        List<UpReport.Model> models = new ArrayList<>();
        for (ModelVersion version : service.installation().registry().serving()) models.add(model(version));
        UsageFilter filter = demonstration == null
                ? UsageFilter.all()
                : UsageFilter.of(demonstration.customer().id());
        LedgerReport ledger = service.commerce().ledger().verify();
        Map<String, String> sums = new LinkedHashMap<>();
        ledger.sumByCurrency().forEach((currency, sum) -> sums.put(currency.getCurrencyCode(), sum.toDecimalString()));
        return new UpReport(
                service.baseUrl().toString(),
                service.ownerKey(),
                demonstration == null ? null : demonstration.customerKey(),
                models,
                service.commerce().usage().sums(filter).stream()
                        .map(Reporter::usage)
                        .toList(),
                demonstration == null
                        ? List.of()
                        : demonstration.receipts().stream()
                                .map(Reporter::receipt)
                                .toList(),
                demonstration == null ? null : invoice(demonstration.invoice()),
                new UpReport.Ledger(sums, ledger.postings(), ledger.openReservations()),
                service.economics().stream().map(Reporter::economics).toList(),
                stages);
    }

    private UpReport.Model model(ModelVersion version) {
        Optional<RunRecord> run = Optional.ofNullable(
                        version.manifest().provenance().runId())
                .flatMap(service.installation().registry()::run);
        Provenance provenance = version.manifest().provenance();
        EvaluationReport evaluation = run.map(r -> OwnerClient.JSON.readValue(r.evaluation(), EvaluationReport.class))
                .orElse(null);
        UpReport.Baseline baseline = evaluation == null
                ? null
                : evaluation
                        .strongestBaseline()
                        .map(b -> new UpReport.Baseline(b.name(), b.metrics()))
                        .orElse(null);
        return new UpReport.Model(
                version.model(),
                Integer.toString(version.version()),
                provenance.task(),
                provenance.metrics(),
                baseline,
                gate(version, provenance.gate()),
                run.map(RunRecord::seconds).orElse(0.0),
                run.flatMap(r -> Optional.ofNullable(r.cost()))
                        .map(Money::toDecimalString)
                        .orElse("0"));
    }

    private String gate(ModelVersion version, @Nullable GateResult gate) {
        boolean forced = service.installation().registry().promotions(ModelOwner.operator(), version.model()).stream()
                .filter(p -> p.version() == version.version())
                .map(Promotion::ground)
                .anyMatch(PromotionGround.Forced.class::isInstance);
        if (gate == null || gate.checks().isEmpty()) return "none";
        return forced ? "forced" : gate.passed() ? "passed" : "failed";
    }

    private static UpReport.UsageSum usage(UsageSum sum) {
        return new UpReport.UsageSum(
                sum.product(),
                sum.meter().wireName(),
                sum.quantity(),
                sum.amount().toDecimalString());
    }

    private static Object receipt(Receipt receipt) {
        List<Object> lines = new ArrayList<>();
        for (Receipt.Line line : receipt.lines()) {
            List<Object> steps = new ArrayList<>();
            for (Derivation.Step step : line.derivation().steps()) {
                steps.add(Map.of(
                        "tier", step.tier(),
                        "after", step.after(),
                        "quantity", step.quantity(),
                        "rate", step.rate().toString(),
                        "amount", step.amount().toDecimalString()));
            }
            lines.add(Map.of(
                    "meter", line.usage().meter().wireName(),
                    "before", line.usage().before(),
                    "quantity", line.usage().quantity(),
                    "amount", line.usage().amount().toDecimalString(),
                    "steps", steps));
        }
        return Map.of(
                "request", receipt.event().request().value(),
                "model", receipt.event().product(),
                "priceVersion", receipt.price().id().value(),
                "amount", receipt.event().amount().toDecimalString(),
                "lines", lines,
                "postings",
                        receipt.entry().postings().stream()
                                .map(p ->
                                        receipt.entry().id() + "/" + p.account().wireName())
                                .toList());
    }

    private UpReport.Invoice invoice(Invoice invoice) {
        return new UpReport.Invoice(
                invoice.number().orElseThrow(),
                invoice.status().name().toLowerCase(Locale.ROOT),
                invoice.currency().getCurrencyCode(),
                InvoiceJson.write(invoice).path("lines"),
                invoice.total().toDecimalString(),
                Objects.requireNonNull(pdf).toString());
    }

    private static UpReport.Economics economics(UnitEconomics unit) {
        return new UpReport.Economics(
                unit.product(),
                unit.unitsSold(),
                unit.revenue().toDecimalString(),
                unit.measuredCost().toDecimalString(),
                unit.margin().toDecimalString(),
                unit.utilisation(),
                unit.breakEvenUnits());
    }

    /** The report in words and tables. */
    void print(PrintWriter out, UpReport report) {
        out.println();
        out.println("Models");
        Table models =
                new Table("model", "version", "task", "on the test part", "strongest small model", "gate", "training");
        for (UpReport.Model m : report.models()) {
            models.row(
                    m.name(),
                    m.version(),
                    m.task(),
                    figures(m.metrics()),
                    m.baseline() == null
                            ? ""
                            : m.baseline().name() + ": " + figures(m.baseline().metrics()),
                    m.gate(),
                    m.trainSeconds() == 0
                            ? "taken as it is"
                            : String.format(Locale.ROOT, "%.0f s, %s", m.trainSeconds(), shortened(m.trainCost())));
        }
        models.print(out);
        printMoney(out, report);
        printEconomics(out);
        out.println();
        out.println("Seconds");
        Table seconds = new Table("stage", "seconds");
        report.stages().forEach(s -> seconds.row(s.name(), String.format(Locale.ROOT, "%.1f", s.seconds())));
        seconds.print(out);
    }

    private void printMoney(PrintWriter out, UpReport report) {
        out.println();
        out.println("Usage"
                + (demonstration == null
                        ? ""
                        : " of " + demonstration.customer().name()));
        Table usage = new Table("model", "meter", "quantity", "amount");
        report.usage().forEach(u -> usage.row(u.model(), u.meter(), Long.toString(u.quantity()), u.amount()));
        usage.print(out);
        if (demonstration == null) return;
        out.println();
        out.println("Receipts (./guimo receipt verify REQUEST replays one)");
        for (Receipt receipt : demonstration.receipts()) {
            out.println("  " + receipt.event().request() + "  "
                    + receipt.event().product() + "  " + receipt.event().amount());
            for (Receipt.Line line : receipt.lines()) {
                for (Derivation.Step step : line.derivation().steps()) {
                    out.println("      " + line.usage().meter().wireName() + ": " + step.quantity() + " after "
                            + step.after() + " of this month, tier " + step.tier() + ", " + step.rate() + " = "
                            + step.amount().toDecimalString());
                }
            }
        }
        Invoice invoice = demonstration.invoice();
        out.println();
        out.println("Invoice " + invoice.number().orElseThrow() + " ("
                + invoice.status().name().toLowerCase(Locale.ROOT) + "), "
                + invoice.period().start().atZone(invoice.zone()).toLocalDate() + " to "
                + invoice.period().end().atZone(invoice.zone()).toLocalDate());
        Table lines = new Table("model", "meter", "quantity", "exact", "amount");
        for (InvoiceLine line : invoice.lines()) {
            lines.row(
                    line.product(),
                    line.meter().map(m -> m.wireName()).orElse("fee"),
                    Long.toString(line.quantity()),
                    line.exact().toDecimalString(),
                    line.amount().toDisplayString());
        }
        lines.row("total", "", "", "", invoice.total().toDisplayString() + " " + invoice.currency());
        lines.print(out);
        out.println("  " + pdf);
        out.println("  ledger: " + report.ledger().postings() + " postings, sum "
                + report.ledger().sumByCurrency() + ", open reservations "
                + report.ledger().reservationsOpen());
    }

    private void printEconomics(PrintWriter out) {
        List<UnitEconomics> economics = service.economics();
        if (economics.isEmpty()) return;
        out.println();
        out.println(String.format(
                Locale.ROOT,
                "Unit economics (machine used %.1f %% so far)",
                100 * economics.getFirst().utilisation()));
        Table table = new Table(
                "model",
                "meter",
                "sold",
                "price",
                "cost now",
                "cost when full",
                "margin",
                "training",
                "break-even now",
                "when full");
        for (UnitEconomics e : economics) {
            table.row(
                    e.product(),
                    e.meter().wireName(),
                    Long.toString(e.unitsSold()),
                    shortened(e.unitPrice()),
                    shortened(e.unitCostNow()),
                    shortened(e.unitCostAtFull()),
                    shortened(e.margin().amount()),
                    shortened(e.trainingCost().amount()),
                    units(e.breakEvenUnits()),
                    units(e.breakEvenUnitsAtFull()));
        }
        table.print(out);
    }

    private static String units(@Nullable Long units) {
        return units == null ? "never" : Long.toString(units);
    }

    private static String shortened(@Nullable BigDecimal value) {
        return value == null
                ? ""
                : value.round(new java.math.MathContext(4)).stripTrailingZeros().toPlainString();
    }

    private static String shortened(String decimal) {
        return shortened(new BigDecimal(decimal));
    }

    private static String figures(Map<String, Double> metrics) {
        List<String> shown = new ArrayList<>();
        metrics.forEach((name, value) -> shown.add(name + String.format(Locale.ROOT, " %.4f", value)));
        return String.join(", ", shown);
    }
}
