package io.guimo.testkit;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Playwright;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A running Chromium, found or fetched; says which. */
final class TestBrowser implements AutoCloseable {
    private final Playwright playwright;
    private final Browser chromium;

    private TestBrowser(Playwright playwright, Browser chromium) {
        this.playwright = playwright;
        this.chromium = chromium;
    }

    /** @throws IllegalStateException if there is no browser and none can be fetched: its test then fails */
    static TestBrowser open() {
        Path cache = Path.of(System.getProperty("user.home"), ".guimo/cache/browser");
        BrowserFinder.FoundBrowser found = new BrowserFinder(cache, System.getenv()).find();
        System.out.println("browser: " + found);
        Map<String, String> driver = new HashMap<>(System.getenv());
        driver.put("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
        Playwright playwright = Playwright.create(new Playwright.CreateOptions().setEnv(driver));
        Browser chromium = playwright
                .chromium()
                .launch(new BrowserType.LaunchOptions()
                        .setExecutablePath(found.executable())
                        .setArgs(found.arguments())
                        .setEnv(found.environment()));
        return new TestBrowser(playwright, chromium);
    }

    Browser chromium() {
        return chromium;
    }

    @Override
    public void close() {
        playwright.close();
    }
}
