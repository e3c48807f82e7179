package io.guimo.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KeysTest {
    @TempDir
    private Path home;

    @Test
    void openOrCreate_first_makesKeyForOwnerOnlyAndTrustsIt() throws IOException {
        SigningKey key = SigningKey.openOrCreate(home.resolve("keys"));

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve("keys/signing.pem"))))
                .isEqualTo("rw-------");
        assertThat(TrustedKeys.open(home.resolve("keys/trusted")).ids()).containsExactly(key.keyId());
        assertThat(key.keyId()).matches("[0-9a-f]{32}");
    }

    @Test
    void openOrCreate_again_sameKey() throws IOException {
        SigningKey first = SigningKey.openOrCreate(home);
        SigningKey again = SigningKey.openOrCreate(home);

        byte[] content = {1, 2, 3};
        assertThat(first.verifying().verifies(content, again.sign(content))).isTrue();
    }

    @Test
    void openOrCreate_manyAtOnce_oneKey() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            Set<String> ids = new HashSet<>();
            for (Future<SigningKey> key : IntStream.range(0, 8)
                    .mapToObj(i -> threads.submit(() -> SigningKey.openOrCreate(home)))
                    .toList()) {
                ids.add(key.get().keyId());
            }
            assertThat(ids).hasSize(1);
        }
        assertThat(home).isDirectoryNotContaining("glob:**.part");
    }

    @Test
    void openOrCreate_othersMayRead_refused() throws IOException {
        SigningKey.openOrCreate(home);
        Files.setPosixFilePermissions(home.resolve("signing.pem"), PosixFilePermissions.fromString("rw-r--r--"));

        assertThatThrownBy(() -> SigningKey.openOrCreate(home))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("rw-r--r--", "chmod 600");
    }

    @Test
    void openOrCreate_damagedOrMixed_refused() throws IOException {
        Path file = home.resolve("signing.pem");
        SigningKey.openOrCreate(home);
        String one = Files.readString(file);
        SigningKey.openOrCreate(home.resolve("other"));
        String other = Files.readString(home.resolve("other/signing.pem"));
        String mixed = one.substring(0, one.indexOf("-----BEGIN PUBLIC"))
                + other.substring(other.indexOf("-----BEGIN PUBLIC"));
        for (String damaged : new String[] {"", one.substring(0, 90), one.replace('M', '!'), mixed}) {
            Files.writeString(file, damaged);
            assertThatThrownBy(() -> SigningKey.openOrCreate(home)).as(damaged).isInstanceOf(IOException.class);
        }
    }

    @Test
    void trusted_fileUnderAnotherId_refused() throws IOException {
        SigningKey.openOrCreate(home);
        Path trusted = home.resolve("trusted");
        Path mine;
        try (var files = Files.list(trusted)) {
            mine = files.findFirst().orElseThrow();
        }
        Files.move(mine, trusted.resolve("0".repeat(32) + ".pem"));

        assertThatThrownBy(() -> TrustedKeys.open(trusted))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("name the file");
    }

    @Test
    void trusted_noKeyInFile_refused() throws IOException {
        Files.createDirectories(home.resolve("trusted"));
        for (String content :
                new String[] {"", "x".repeat(5000), "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}) {
            Files.writeString(home.resolve("trusted/a.pem"), content);
            assertThatThrownBy(() -> TrustedKeys.open(home.resolve("trusted"))).isInstanceOf(IOException.class);
        }
    }

    @Test
    void trusted_noFolder_trustsNobody() throws IOException {
        assertThat(TrustedKeys.open(home.resolve("nothing")).ids()).isEmpty();
    }
}
