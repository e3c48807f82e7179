package io.guimo.launch;

import io.guimo.commerce.Commerce;
import io.guimo.commerce.account.ApiKey;
import io.guimo.commerce.account.IssuedKey;
import io.guimo.commerce.account.NewOrganization;
import io.guimo.commerce.account.Organization;
import io.guimo.commerce.account.Role;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.invoice.Invoice;
import io.guimo.commerce.ledger.GrantKind;
import io.guimo.commerce.ledger.Receipt;
import io.guimo.commerce.meter.UsageEvent;
import io.guimo.commerce.meter.UsageFilter;
import io.guimo.data.BasketSet;
import io.guimo.data.DataSettings;
import io.guimo.data.ImageSet;
import io.guimo.inference.HostedModel;
import io.guimo.inference.TextGenerator;
import io.guimo.task.Lesson;
import io.guimo.units.Cursor;
import io.guimo.units.Ids;
import io.guimo.units.Money;
import io.guimo.units.Page;
import io.guimo.units.TimeWindow;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import javax.imageio.ImageIO;

/**
 * Plays a customer, once a home: a sandbox organisation with prepaid credit sends requests to every model over HTTP, then its clock is turned to the end of
 * the month, so that the invoice becomes final. Everything runs under fixed idempotency keys: interrupted anywhere, it goes on and nothing is done twice.
 */
final class Demonstration {
    private static final String SCOPE = "demonstration";
    private static final int CLIENTS = 4;
    private static final int IMAGES_PER_REQUEST = 24;
    private static final int TOKENS_PER_ANSWER = 24;
    private static final Duration TIME_LIMIT = Duration.ofSeconds(60);

    /** What people ask a shop, in both languages. */
    private static final List<String> QUERIES = List.of(
            "something sweet for breakfast",
            "床前明月光，疑是地上霜",
            "cleaning the kitchen floor",
            "思念远方的朋友",
            "food for a small dog",
            "春天的花和细雨",
            "ingredients for a birthday cake",
            "边塞的战士想家");

    /** What customers ask a shop's assistant. */
    private static final List<String> QUESTIONS = List.of(
            "My parcel has not arrived yet. What should I do?",
            "Write one sentence that sells a wool scarf.",
            "Which gift would you choose for a friend who likes to cook?",
            "How do I wash a silk dress?",
            "Name three things for a picnic.");

    /** Beginnings for a model that continues text. */
    private static final List<String> BEGINNINGS =
            List.of("First Citizen:\n", "话说", "To be, or not to be", "宝玉笑道：", "O Romeo, ");

    private final Service service;
    private final DemonstrationSettings settings;
    private final Commerce commerce;

    /**
     * @param customerKey the newest key; the one before it is revoked
     * @param receipts one of each kind of product, where there is one a receipt that crosses a tier
     */
    record Outcome(Organization customer, String customerKey, Invoice invoice, List<Receipt> receipts) {}

    Demonstration(Service service, DemonstrationSettings settings) {
        this.service = service;
        this.settings = settings;
        this.commerce = service.commerce();
    }

    Outcome play(Stages.Stage stage) throws Exception {
        Organization customer = customer();
        String key = newKey(customer);
        Optional<Invoice> before = finalInvoice(customer);
        if (before.isEmpty()) {
            send(key, stage);
            endMonth(customer);
        }
        Invoice invoice = finalInvoice(customer)
                .orElseThrow(() -> new IllegalStateException("the month ended without an invoice"));
        stage.outcome((before.isPresent() ? "done before: " : "") + "invoice "
                + invoice.number().orElseThrow() + " over " + invoice.total().toDisplayString() + " "
                + invoice.currency());
        return new Outcome(customer, key, invoice, receipts(customer));
    }

    private Organization customer() {
        var business = service.installation().business();
        Organization customer = commerce.organizations()
                .create(
                        new NewOrganization(settings.customer(), true, business.zoneId(), business.currency()),
                        once("organization"))
                .orThrow();
        commerce.prices()
                .subscribe(customer.id(), settings.plan(), once("subscription"))
                .orThrow();
        commerce.ledger()
                .grant(
                        customer.id(),
                        new Money(business.currency(), settings.credit()),
                        GrantKind.CASH,
                        Optional.empty(),
                        once("credit"))
                .orThrow();
        return customer;
    }

    private static CommandKey once(String step) {
        return new CommandKey(SCOPE, step);
    }

    private String newKey(Organization customer) {
        IssuedKey issued = commerce.keys()
                .issue(
                        customer.id(),
                        commerce.organizations().defaultProject(customer.id()).id(),
                        Role.CUSTOMER,
                        SCOPE,
                        new CommandKey(SCOPE, Ids.next("issue")))
                .orThrow();
        Cursor cursor = Cursor.first(Cursor.MOST);
        while (true) {
            Page<ApiKey> page = commerce.keys().list(customer.id(), cursor);
            for (ApiKey key : page.items()) {
                if (!key.id().equals(issued.key().id()) && key.revokedAt().isEmpty()) {
                    commerce.keys().revoke(customer.id(), key.id()).orThrow();
                }
            }
            if (page.next().isEmpty()) return issued.secret().orElseThrow();
            cursor = new Cursor(page.next(), Cursor.MOST);
        }
    }

    private Optional<Invoice> finalInvoice(Organization customer) {
        return commerce.invoices().list(customer.id(), Cursor.first(Cursor.MOST)).items().stream()
                .filter(i -> i.status() == Invoice.Status.FINAL)
                .findFirst();
    }

    private void endMonth(Organization customer) {
        Instant now = commerce.organizations().now(customer.id());
        Instant afterwards = TimeWindow.monthOf(now, customer.zone()).end().plus(Duration.ofHours(1));
        commerce.turnClock(customer.id(), afterwards, once("month")).orThrow();
    }

    /** A request as the customer sends it. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Call(String path, String contentType, byte[] body) {}

    private void send(String key, Stages.Stage stage) throws Exception {
        List<IntFunction<Call>> buyers = new ArrayList<>();
        service.installation().business().models().forEach((name, model) -> buyer(name, model)
                .ifPresent(buyers::add));
        if (buyers.isEmpty()) return;
        AtomicInteger done = new AtomicInteger();
        String host = service.baseUrl().toString();
        try (HttpClient http = HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .build();
                ExecutorService clients = Executors.newFixedThreadPool(CLIENTS)) {
            List<Future<?>> sent = new ArrayList<>();
            for (int i = 0; i < settings.requests(); i++) {
                int number = i;
                sent.add(clients.submit(() -> {
                    sendOne(
                            http,
                            host,
                            key,
                            number,
                            buyers.get(number % buyers.size()).apply(number / buyers.size()));
                    stage.progress("", done.incrementAndGet(), settings.requests(), "req", "");
                    return null;
                }));
            }
            for (Future<?> each : sent) each.get();
        }
    }

    private static void sendOne(HttpClient http, String host, String key, int number, Call call)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(java.net.URI.create(host + call.path))
                .timeout(TIME_LIMIT)
                .header("authorization", "Bearer " + key)
                .header("content-type", call.contentType)
                .header("idempotency-key", String.format(java.util.Locale.ROOT, "demonstration-%05d", number))
                .POST(HttpRequest.BodyPublishers.ofByteArray(call.body))
                .build();
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new CommandFailure("request " + number + " of the demonstration to " + call.path + " was answered "
                    + response.statusCode() + ": " + response.body());
        }
        boolean stream =
                response.headers().firstValue("content-type").orElse("").startsWith("text/event-stream");
        if (stream && !response.body().stripTrailing().endsWith("data: [DONE]")) {
            throw new CommandFailure(
                    "request " + number + " of the demonstration to " + call.path + " broke off: " + response.body());
        }
    }

    /** The customer's side of one model; empty for a model that a demonstration has nothing to send to. */
    private Optional<IntFunction<Call>> buyer(String name, ModelSettings model) {
        Optional<HostedModel> hosted = service.models().all().stream()
                .filter(m -> m.name().equals(name))
                .findFirst();
        if (hosted.isEmpty()) return Optional.empty();
        return switch (model.task()) {
            case CLASSIFY_IMAGES -> Optional.of(photoBuyer(name, model));
            case RECOMMEND_ITEMS -> Optional.of(basketBuyer(name, model));
            case EMBED_TEXT -> Optional.of(textBuyer(name));
            case GENERATE_TEXT ->
                Optional.of(
                        hosted.get() instanceof TextGenerator writer
                                        && writer.chatTemplate().isEmpty()
                                ? textBuyerOf(name)
                                : chatBuyer(name));
        };
    }

    /** Half of the requests as JSON, half as a form, so that both ways are shown. */
    private IntFunction<Call> photoBuyer(String name, ModelSettings model) {
        ImageSet photos = testPhotos(dataOf(model));
        return i -> {
            List<byte[]> pictures = new ArrayList<>();
            for (int k = 0; k < IMAGES_PER_REQUEST; k++)
                pictures.add(png(photos, (i * IMAGES_PER_REQUEST + k) % photos.size()));
            String path = "/v1/predict/" + name;
            if (i % 2 == 0) {
                List<String> encoded = pictures.stream()
                        .map(Base64.getEncoder()::encodeToString)
                        .toList();
                return new Call(
                        path, "application/json", OwnerClient.JSON.writeValueAsBytes(Map.of("images", encoded)));
            }
            return form(path, pictures);
        };
    }

    private ImageSet testPhotos(DataSettings data) {
        var source = service.installation().sources().images(data, Lesson.FOLDER_PICTURE_SIDE);
        return source.test() != null ? source.test() : source.development();
    }

    private static byte[] png(ImageSet photos, int row) {
        boolean grey = photos.channels() == 1;
        BufferedImage image = new BufferedImage(
                photos.width(), photos.height(), grey ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_INT_RGB);
        byte[] values = photos.picture(row);
        int at = 0;
        for (int y = 0; y < photos.height(); y++) {
            for (int x = 0; x < photos.width(); x++) {
                for (int channel = 0; channel < (grey ? 1 : 3); channel++) {
                    if (grey) image.getRaster().setSample(x, y, 0, values[at++] & 0xff);
                    else image.getRaster().setSample(x, y, channel, values[at++] & 0xff);
                }
            }
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static Call form(String path, List<byte[]> pictures) {
        String boundary = "guimo-demonstration";
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (int i = 0; i < pictures.size(); i++) {
            String head = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + i
                    + ".png\"\r\nContent-Type: image/png\r\n\r\n";
            body.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
            body.writeBytes(pictures.get(i));
            body.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
        }
        body.writeBytes(("--" + boundary + "--\r\n").getBytes(StandardCharsets.US_ASCII));
        return new Call(path, "multipart/form-data; boundary=" + boundary, body.toByteArray());
    }

    private IntFunction<Call> basketBuyer(String name, ModelSettings model) {
        BasketSet baskets =
                service.installation().sources().baskets(dataOf(model)).baskets();
        return i -> {
            List<String> items = new ArrayList<>();
            for (int item : baskets.baskets()[i % baskets.size()])
                if (items.size() < 5) items.add(baskets.items().get(item));
            return json("/v1/recommendations", Map.of("model", name, "items", items, "limit", 10));
        };
    }

    private static IntFunction<Call> textBuyer(String name) {
        return i -> json(
                "/v1/embeddings",
                Map.of(
                        "model",
                        name,
                        "input",
                        List.of(QUERIES.get(i % QUERIES.size()), QUERIES.get((i + 3) % QUERIES.size()))));
    }

    /** A conversation's next answer, read as a stream. */
    private static IntFunction<Call> chatBuyer(String name) {
        return i -> json(
                "/v1/chat/completions",
                Map.of(
                        "model",
                        name,
                        "messages",
                        List.of(Map.of("role", "user", "content", QUESTIONS.get(i % QUESTIONS.size()))),
                        "max_tokens",
                        TOKENS_PER_ANSWER,
                        "temperature",
                        0,
                        "stream",
                        true));
    }

    /** A text's continuation, from a model that knows no conversations. */
    private static IntFunction<Call> textBuyerOf(String name) {
        return i -> json(
                "/v1/completions",
                Map.of(
                        "model",
                        name,
                        "prompt",
                        BEGINNINGS.get(i % BEGINNINGS.size()),
                        "max_tokens",
                        TOKENS_PER_ANSWER,
                        "temperature",
                        0.8,
                        "seed",
                        i,
                        "stream",
                        true));
    }

    private static Call json(String path, Object body) {
        return new Call(path, "application/json", OwnerClient.JSON.writeValueAsBytes(body));
    }

    private DataSettings dataOf(ModelSettings model) {
        return Objects.requireNonNull(
                service.installation().business().data().get(Objects.requireNonNull(model.data())));
    }

    /** Three: one of each product in turn, the first being one whose units crossed a tier. */
    private List<Receipt> receipts(Organization customer) {
        List<Receipt> all = new ArrayList<>();
        Cursor cursor = Cursor.first(Cursor.MOST);
        while (true) {
            Page<UsageEvent> page = commerce.usage().list(UsageFilter.of(customer.id()), cursor);
            page.items().forEach(event -> all.add(commerce.receipts().of(event)));
            if (page.next().isEmpty()) break;
            cursor = new Cursor(page.next(), Cursor.MOST);
        }
        List<Receipt> chosen = new ArrayList<>();
        all.stream()
                .filter(r ->
                        r.lines().stream().anyMatch(l -> l.derivation().steps().size() > 1))
                .findFirst()
                .ifPresent(chosen::add);
        for (Receipt receipt : all) {
            if (chosen.size() == 3) break;
            if (chosen.stream()
                    .noneMatch(r -> r.event().product().equals(receipt.event().product()))) chosen.add(receipt);
        }
        return chosen;
    }
}
