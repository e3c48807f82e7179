package io.guimo.testkit;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Download;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The console in a real browser, on a real server. Pictures of every page land in {@code target/screenshots}. */
class ConsoleBrowserTest {
    private static final Path PICTURES = Path.of("target/screenshots");
    private static final List<String> PAGES =
            List.of("models", "playground", "usage", "invoices", "economics", "overview");

    /** What a screen reader could not name. */
    private static final String UNNAMED_CONTROLS = """
            [...document.querySelectorAll('input, select, button, a, [role=img]')]
              .filter((each) => each.getClientRects().length > 0)
              .filter((each) => !(each.labels?.length || each.textContent.trim() || each.getAttribute('aria-label') || each.title))
              .map((each) => each.outerHTML)
            """;

    private static ServedShop shop;
    private static TestBrowser browser;

    private final List<String> complaints = new ArrayList<>();
    private final List<BrowserContext> contexts = new ArrayList<>();

    @BeforeAll
    static void open() throws Exception {
        shop = ServedShop.start(Path.of("target/console-test"));
        browser = TestBrowser.open();
        Files.createDirectories(PICTURES);
        firstVisitOfThePlayground();
    }

    /** The operator's organisation is on no plan: the page says so and puts it on one. */
    private static void firstVisitOfThePlayground() {
        try (BrowserContext context =
                browser.chromium().newContext(new Browser.NewContextOptions().setLocale("en-US"))) {
            Page page = context.newPage();
            logIn(page, shop.baseUrl(), shop.ownerKey());
            go(page, "playground");
            Locator join = page.getByRole(AriaRole.BUTTON, named("Use plan payg"));
            assertThat(join).isVisible();
            picture(page, "playground-first-visit-en");
            join.click();
            assertThat(page.locator(".drop")).isVisible();
        }
    }

    @AfterAll
    static void close() throws Exception {
        if (browser != null) browser.close();
        if (shop != null) shop.close();
    }

    @AfterEach
    void pagesRanWithoutComplaints() {
        contexts.forEach(BrowserContext::close);
        assertThat(complaints)
                .as("errors and policy violations that the browser reported")
                .isEmpty();
    }

    @Test
    void owner_dropsAPhoto_seesTheLabelAndItsExactPrice() {
        Page page = loggedIn("en-US", ColorScheme.LIGHT, 1280, 860);
        go(page, "playground");
        assertThat(page.locator(".drop")).isVisible();

        drop(page, shop.photo());

        assertThat(page.locator(".bar.first .name")).hasText(shop.photoLabel());
        assertThat(page.locator(".spent strong")).hasText(shop.photoPrice());
        page.getByText("Last receipt").click();
        assertThat(heading(page)).hasText("Receipt");
        assertThat(page.locator(".steps .total")).containsText(shop.photoPrice());
        page.getByText("Verify this receipt").click();
        assertThat(page.getByText("It agrees")).isVisible();
        picture(page, "receipt-en");
    }

    @Test
    void owner_asksForItemsAndByMeaning_getsAnswers() {
        Page page = loggedIn("zh-CN", ColorScheme.LIGHT, 1280, 860);
        go(page, "playground");

        page.locator(".choices button").nth(1).click();
        page.getByRole(AriaRole.BUTTON, named("面包蛋糕")).click();
        assertThat(page.locator(".found li")).not().hasCount(0);
        picture(page, "playground-together-zh");

        page.locator(".choices button").nth(2).click();
        page.locator("#search-text").fill("思念远方的朋友");
        page.keyboard().press("Enter");
        assertThat(page.locator(".found .poem").first()).containsText(Pattern.compile("[\u4e00-\u9fff]{4}"));
        picture(page, "playground-poems-zh");
    }

    @Test
    void owner_opensTheInvoice_readsItAndTakesThePdf() throws Exception {
        Page page = loggedIn("en-US", ColorScheme.LIGHT, 1280, 860);
        go(page, "invoices");

        page.getByRole(AriaRole.LINK, named(shop.invoiceNumber())).click();
        assertThat(page.locator(".document .number")).hasText(shop.invoiceNumber());
        assertThat(page.locator(".document dd.grand")).hasText(shop.invoiceTotal());
        Download pdf =
                page.waitForDownload(() -> page.getByText("PDF", exactly()).click());
        assertThat(pdf.suggestedFilename()).isEqualTo(shop.invoiceNumber() + ".pdf");
        assertThat(Files.readString(pdf.path(), StandardCharsets.ISO_8859_1)).startsWith("%PDF-");
        picture(page, "invoice-with-its-pdf-en");
    }

    @Test
    void language_switched_staysAfterReload_andFollowsTheBrowserAtFirst() {
        Page page = loggedIn("en-US", ColorScheme.LIGHT, 1280, 860);
        assertThat(heading(page)).hasText("Overview");

        page.getByText("中文").click();
        assertThat(heading(page)).hasText("总览");
        assertThat(page.locator("html")).hasAttribute("lang", "zh-CN");
        page.reload();

        assertThat(heading(page)).hasText("总览");
        Page chinese = page("zh-CN", ColorScheme.LIGHT, 1280, 860);
        chinese.navigate(shop.baseUrl());
        assertThat(chinese.locator("label")).hasText("所有者密钥");
    }

    @Test
    void key_wrong_refusedInWords_andLoggingOutForgetsTheRightOne() {
        Page page = page("en-US", ColorScheme.LIGHT, 1280, 860);
        page.navigate(shop.baseUrl());
        page.locator("#owner-key").fill("not-the-key");
        page.keyboard().press("Enter");
        assertThat(page.getByRole(AriaRole.ALERT)).containsText("This key is not valid");
        picture(page, "door-refused-en");

        page.locator("#owner-key").fill(shop.ownerKey());
        page.keyboard().press("Enter");
        assertThat(heading(page)).hasText("Overview");
        assertThat((Integer) page.evaluate("localStorage.length")).isZero();
        page.getByText("Log out").click();

        assertThat(page.locator("#owner-key")).isFocused();
        assertThat((Integer) page.evaluate("sessionStorage.length")).isZero();
    }

    @Test
    void keyboard_alone_reachesEveryPage() {
        Page page = loggedIn("en-US", ColorScheme.LIGHT, 1280, 860);
        assertThat(heading(page)).isFocused();
        for (String name : PAGES) {
            page.locator(".nav a[href='#/" + name + "']").focus();
            page.keyboard().press("Enter");
            assertThat(heading(page)).isFocused();
            assertThat(page.locator(".nav a[aria-current]")).hasAttribute("href", "#/" + name);
        }
    }

    @ParameterizedTest
    @CsvSource({"en, light, 1280, desktop", "zh, dark, 1280, desktop", "zh, light, 390, phone", "en, dark, 390, phone"})
    void everyPage_inThisShape_fitsAndSaysWhatEachControlIs(String language, String scheme, int width, String device) {
        String shape = language + "-" + scheme + "-" + device;
        Page page = page(
                language.equals("zh") ? "zh-CN" : "en-US",
                scheme.equals("dark") ? ColorScheme.DARK : ColorScheme.LIGHT,
                width,
                width < 600 ? 844 : 860);
        page.navigate(shop.baseUrl());
        picture(page, "door-" + shape);
        page.locator("#owner-key").fill(shop.ownerKey());
        page.keyboard().press("Enter");
        assertThat(page.locator("nav")).isVisible();

        Map<String, String> addresses = new LinkedHashMap<>();
        PAGES.forEach(name -> addresses.put(name, name));
        addresses.put("model", "models/" + shop.trainedModel());
        addresses.put("invoice", "invoices/" + shop.invoiceAddress());
        addresses.forEach((name, address) -> {
            go(page, address);
            settled(page);
            assertThat((Integer) page.evaluate("document.documentElement.scrollWidth - innerWidth"))
                    .as(address + " is wider than the window")
                    .isNotPositive();
            assertThat(page.evaluate(UNNAMED_CONTROLS))
                    .as("controls without a name on " + address)
                    .isEqualTo(List.of());
            picture(page, name + "-" + shape);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "0.000000000001, CNY, en, '¥0.000000000001'",
        "123456789012345678.123456789012, CNY, en, '¥123,456,789,012,345,678.123456789012'",
        "-0.5, CNY, en, '-¥0.50'",
        "-1234.5, USD, en, '-$1,234.50'",
        "23.420000000000, CNY, en, '¥23.42'",
        "0, JPY, en, '¥0'",
        "0.1, JPY, en, '¥0.1'",
        "1234567.891, CNY, zh-CN, '¥1,234,567.891'"
    })
    void money_anyExactAmount_writtenWithAllItsDigits(String decimal, String currency, String locale, String written) {
        Page page = page("en-US", ColorScheme.LIGHT, 800, 600);
        page.navigate(shop.baseUrl());

        Object shown = page.evaluate(
                "async ([decimal, currency, locale]) =>"
                        + " (await import('/console/any/format.js')).formats(locale).money(decimal, currency)",
                List.of(decimal, currency, locale));

        assertThat(shown).isEqualTo(written);
    }

    @Test
    void money_addedUp_isExact() {
        Page page = page("en-US", ColorScheme.LIGHT, 800, 600);
        page.navigate(shop.baseUrl());

        assertThat(page.evaluate("async () => (await import('/console/any/format.js'))"
                        + ".sum(['0.1', '0.2', '900719925474099.3', '-0.000000000001'])"))
                .isEqualTo("900719925474099.599999999999");
    }

    private Page loggedIn(String locale, ColorScheme scheme, int width, int height) {
        Page page = page(locale, scheme, width, height);
        logIn(page, shop.baseUrl(), shop.ownerKey());
        return page;
    }

    static void logIn(Page page, String baseUrl, String ownerKey) {
        page.navigate(baseUrl);
        page.locator("#owner-key").fill(ownerKey);
        page.keyboard().press("Enter");
        assertThat(page.locator("nav")).isVisible();
    }

    private Page page(String locale, ColorScheme scheme, int width, int height) {
        BrowserContext context = browser.chromium()
                .newContext(new Browser.NewContextOptions()
                        .setLocale(locale)
                        .setTimezoneId("Asia/Shanghai")
                        .setColorScheme(scheme)
                        .setViewportSize(width, height));
        contexts.add(context);
        Page page = context.newPage();
        page.onPageError(complaints::add);
        page.onConsoleMessage(message -> {
            // a refused request is the page's business, and it says so in words
            boolean refused = message.text().contains("status of 4");
            if (message.type().equals("error") && !refused) complaints.add(message.text());
        });
        return page;
    }

    static Locator heading(Page page) {
        return page.locator("h1");
    }

    static void go(Page page, String address) {
        page.evaluate("address => { location.hash = '#/' + address; }", address);
        assertThat(page.locator(".nav a[href='#/" + address.split("/")[0] + "']"))
                .hasAttribute("aria-current", "page");
    }

    /** Everything has arrived and every plot is drawn. */
    static void settled(Page page) {
        assertThat(page.locator(".waiting")).hasCount(0);
        assertThat(page.locator(".notice.bad")).hasCount(0);
        assertThat(page.locator(".plot[data-drawn=false]")).hasCount(0);
    }

    /** Drops a file as a hand would: the page sees a drop event with it. */
    static void drop(Page page, byte[] photo) {
        page.evaluate("""
                ([base64]) => {
                  const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
                  const held = new DataTransfer();
                  held.items.add(new File([bytes], 'photo.png', { type: 'image/png' }));
                  const place = document.querySelector('.drop');
                  place.dispatchEvent(new DragEvent('dragover', { dataTransfer: held, bubbles: true, cancelable: true }));
                  place.dispatchEvent(new DragEvent('drop', { dataTransfer: held, bubbles: true, cancelable: true }));
                }""", List.of(Base64.getEncoder().encodeToString(photo)));
    }

    static void picture(Page page, String name) {
        page.screenshot(new Page.ScreenshotOptions()
                .setPath(PICTURES.resolve(name + ".png"))
                .setFullPage(true));
    }

    static Page.GetByRoleOptions named(String name) {
        return new Page.GetByRoleOptions().setName(name).setExact(true);
    }

    private static Page.GetByTextOptions exactly() {
        return new Page.GetByTextOptions().setExact(true);
    }
}
