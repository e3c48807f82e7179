package io.guimo.testkit;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The console of the whole program: {@code guimo up} on a small business, which trains, serves, invoices and then is looked at. */
class ConsoleOfUpTest {
    @TempDir
    private Path folder;

    @Test
    void owner_ofABusinessThatIsUp_dropsAPhoto_opensTheInvoice_switchesTheLanguage() throws Exception {
        Path report = folder.resolve("report.json");
        Path business = SmallBusiness.write(folder);
        try (GuimoProcess up = GuimoProcess.start(
                        folder.resolve("up.log"),
                        "up",
                        business.toString(),
                        "--home",
                        folder.resolve("home").toString(),
                        "--port",
                        "0",
                        "--report",
                        report.toString());
                TestBrowser browser = TestBrowser.open()) {
            JsonNode ready = up.report(report);
            List<String> complaints = new ArrayList<>();
            try (BrowserContext context =
                    browser.chromium().newContext(new Browser.NewContextOptions().setLocale("en-US"))) {
                Page page = context.newPage();
                page.onPageError(complaints::add);
                look(page, ready);
            }
            assertThat(complaints).isEmpty();
            up.interrupt(60);
        }
    }

    private static void look(Page page, JsonNode ready) throws Exception {
        ConsoleBrowserTest.logIn(
                page, ready.path("baseUrl").asString(), ready.path("ownerKey").asString());
        ConsoleBrowserTest.settled(page);
        ConsoleBrowserTest.picture(page, "up-overview-en");

        ConsoleBrowserTest.go(page, "playground");
        assertThat(page.locator(".drop").or(page.getByRole(AriaRole.BUTTON, ConsoleBrowserTest.named("Use plan payg"))))
                .isVisible();
        if (page.locator(".drop").count() == 0) {
            page.getByRole(AriaRole.BUTTON, ConsoleBrowserTest.named("Use plan payg"))
                    .click();
            assertThat(page.locator(".drop")).isVisible();
        }
        ConsoleBrowserTest.drop(page, SmallBusiness.png("circle", 99));
        assertThat(page.locator(".bar.first .name")).hasText(Pattern.compile("square|circle|stripe"));
        assertThat(page.locator(".spent strong")).hasText("¥0.002");
        ConsoleBrowserTest.picture(page, "up-playground-en");

        for (String address : List.of("models/shapes", "usage", "economics", "invoices")) {
            ConsoleBrowserTest.go(page, address);
            ConsoleBrowserTest.settled(page);
            ConsoleBrowserTest.picture(page, "up-" + address.replace('/', '-') + "-en");
        }
        String number = ready.path("invoice").path("number").asString();
        page.getByRole(AriaRole.LINK, ConsoleBrowserTest.named(number)).click();
        assertThat(page.locator(".document .number")).hasText(number);
        assertThat(page.locator(".document dd.grand"))
                .hasText("¥" + ready.path("invoice").path("total").asString());
        page.getByText("中文").click();
        assertThat(ConsoleBrowserTest.heading(page)).hasText("发票");
        ConsoleBrowserTest.picture(page, "up-invoice-zh");
    }
}
