package io.guimo.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.registry.PackageCheck.Reason;
import io.guimo.registry.PackageCheck.Refused;
import io.guimo.registry.PackageCheck.Verified;
import io.guimo.registry.PackageFile.Format;
import io.guimo.registry.PackageFile.Role;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PackageStoreTest {
    @TempDir
    private Path home;

    private final SigningKey key = SigningKey.generate();
    private final TrustedKeys trusted = TrustedKeys.of(key.verifying());
    private PackageStore store;

    @BeforeEach
    void open() throws IOException {
        store = PackageStore.open(home.resolve("packages"));
    }

    @Test
    void verify_untouched_givesManifestAndContent() throws IOException {
        byte[] weights = {1, 2, 3};
        String digest = PackageFixture.files(store, weights)
                .sign(key, PackageFixture.provenance("run_1"), PackageFixture.CREATED_AT);

        Verified verified = (Verified) store.verify(digest, trusted);

        ModelPackage content = verified.content();
        assertThat(verified.keyId()).isEqualTo(key.keyId());
        assertThat(content.digest()).isEqualTo(digest);
        assertThat(content.manifest().provenance()).isEqualTo(PackageFixture.provenance("run_1"));
        assertThat(content.manifest().createdAt()).isEqualTo(PackageFixture.CREATED_AT);
        assertThat(content.manifest().files())
                .extracting(PackageFile::name)
                .containsExactly("NOTICE.txt", "model.safetensors", "steps.json");
        assertThat(content.read(content.manifest().file(Role.WEIGHTS).orElseThrow()))
                .isEqualTo(weights);
        assertThat(store.packages()).containsExactly(digest);
    }

    @Test
    void verify_anyBitFlipped_refusedWithWhatDiffers() throws IOException {
        String digest = PackageFixture.files(store, new byte[] {1, 2, 3, 4, 5})
                .sign(key, PackageFixture.provenance("run_1"), PackageFixture.CREATED_AT);
        Manifest manifest = ((Verified) store.verify(digest, trusted)).content().manifest();
        int flips = 0;
        for (Path file : storedFiles()) {
            byte[] original = Files.readAllBytes(file);
            String subject = subjectOf(file, digest, manifest);
            for (int at = 0; at < original.length; at++) {
                byte[] flipped = original.clone();
                flipped[at] ^= (byte) (1 << at % 8);
                Files.write(file, flipped);
                assertThat(store.verify(digest, trusted))
                        .as("bit %d of byte %d of %s", at % 8, at, subject)
                        .isInstanceOfSatisfying(Refused.class, refused -> assertThat(refused.findings())
                                .extracting(PackageCheck.Finding::subject)
                                .containsExactly(subject));
                flips++;
            }
            Files.write(file, original);
        }
        assertThat(store.verify(digest, trusted)).isInstanceOf(Verified.class);
        assertThat(flips).isGreaterThan(1000);
    }

    @Test
    void verify_bitFlippedInLargeFile_refusedWhenVerifiedAndWhenRead() throws IOException {
        SplittableRandom random = new SplittableRandom(11);
        byte[] weights = new byte[3 << 20];
        random.nextBytes(weights);
        String digest = PackageFixture.files(store, weights)
                .sign(key, PackageFixture.provenance("run_1"), PackageFixture.CREATED_AT);
        ModelPackage content = ((Verified) store.verify(digest, trusted)).content();
        PackageFile file = content.manifest().file(Role.WEIGHTS).orElseThrow();
        for (int i = 0; i < 40; i++) {
            int at = random.nextInt(weights.length);
            byte[] flipped = weights.clone();
            flipped[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(content.path(file), flipped);

            Refused refused = (Refused) store.verify(digest, trusted);

            assertThat(refused.findings()).singleElement().satisfies(finding -> {
                assertThat(finding.reason()).isEqualTo(Reason.FILE_DIGEST_DIFFERS);
                assertThat(finding.message()).contains("model.safetensors", file.sha256(), Digests.of(flipped));
            });
            assertThatThrownBy(() -> content.read(file))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("changed on the disk");
        }
    }

    @Test
    void verify_fileCutGrownOrGone_refusedEach() throws IOException {
        String digest = PackageFixture.files(store, new byte[100])
                .sign(key, PackageFixture.provenance("run_1"), PackageFixture.CREATED_AT);
        ModelPackage content = ((Verified) store.verify(digest, trusted)).content();
        Path weights = content.path(content.manifest().file(Role.WEIGHTS).orElseThrow());

        Files.write(weights, new byte[99]);
        assertThat(reasons(digest)).containsExactly(Reason.FILE_SIZE_DIFFERS);
        Files.write(weights, new byte[101]);
        assertThat(reasons(digest)).containsExactly(Reason.FILE_SIZE_DIFFERS);
        Files.delete(weights);
        assertThat(reasons(digest)).containsExactly(Reason.FILE_MISSING);
        Files.delete(store.blob(digest));
        assertThat(reasons(digest)).containsExactly(Reason.MISSING);
    }

    @Test
    void verify_signedByAnotherKey_refusedUntilTrusted() throws IOException {
        SigningKey stranger = SigningKey.generate();
        String digest = PackageFixture.files(store, new byte[3])
                .sign(stranger, PackageFixture.provenance("run_1"), PackageFixture.CREATED_AT);

        Refused refused = (Refused) store.verify(digest, trusted);
        assertThat(refused.findings()).extracting(PackageCheck.Finding::reason).containsExactly(Reason.KEY_NOT_TRUSTED);
        assertThat(refused.message()).contains(stranger.keyId(), key.keyId());

        assertThat(store.verify(digest, TrustedKeys.of(key.verifying(), stranger.verifying())))
                .isInstanceOf(Verified.class);
    }

    @Test
    void verify_signatureOfAnotherPackage_refused() throws IOException {
        String first = PackageFixture.files(store, new byte[3])
                .sign(key, PackageFixture.provenance("run_1"), PackageFixture.CREATED_AT);
        String second = PackageFixture.files(store, new byte[4])
                .sign(key, PackageFixture.provenance("run_2"), PackageFixture.CREATED_AT);
        Path signed = home.resolve("packages/signed");
        Files.copy(
                signed.resolve(first + ".sig"), signed.resolve(second + ".sig"), StandardCopyOption.REPLACE_EXISTING);

        assertThat(reasons(second)).containsExactly(Reason.SIGNATURE_DIFFERS);
    }

    @Test
    void verify_noSignature_refusedUnlessAskedForUnsigned() throws IOException {
        String digest = PackageFixture.files(store, new byte[3])
                .leaveUnsigned(PackageFixture.provenance("run_1"), PackageFixture.CREATED_AT);

        assertThat(reasons(digest)).containsExactly(Reason.UNSIGNED);
        assertThat(store.verifyUnsigned(digest)).isInstanceOfSatisfying(Verified.class, v -> assertThat(v.keyId())
                .isEqualTo("unsigned"));
    }

    @Test
    void verify_identityNotADigest_refusedWithoutTouchingTheDisk() throws IOException {
        for (String hostile :
                List.of("", "../../../etc/passwd", "A".repeat(64), "a".repeat(63) + "/", "\n".repeat(64))) {
            assertThat(reasons(hostile)).containsExactly(Reason.MISSING);
        }
    }

    @Test
    void verify_signedButMalformedManifest_refused() throws IOException {
        String name = "\"name\" : \"NOTICE.txt\"";
        Map<String, String> replacements = Map.of(
                name,
                "\"name\" : \"../../keys/signing.pem\"",
                "\"formatVersion\" : 1",
                "\"formatVersion\" : 2",
                "\"bytes\" : 12",
                "\"bytes\" : -1",
                "\"role\" : \"notice\"",
                "\"role\" : \"kernel\"",
                "\"sha256\" : \"",
                "\"sha256\" : \"../",
                "\"task\"",
                "\"tusk\"",
                "\"createdAt\" : \"2026",
                "\"createdAt\" : \"yesterday, 2026",
                "\"codeVersion\" : \"0.1.0\"",
                "\"codeVersion\" : [[[[]]]]",
                "\"accuracy\" : 0.925,",
                "\"accuracy\" : 1e999,");
        String whole = PackageFixture.files(store, new byte[3])
                .sign(key, PackageFixture.provenance("run_1"), PackageFixture.CREATED_AT);
        String text = Files.readString(store.blob(whole));
        List<String> hostile =
                new ArrayList<>(List.of("", "[]", "{", "nul", text + "x", "[".repeat(100_000), "{\"a\":1,\"a\":2}"));
        replacements.forEach((from, to) -> {
            assertThat(text).contains(from);
            hostile.add(text.replaceFirst(Pattern.quote(from), to));
        });
        for (String manifest : hostile) {
            byte[] bytes = manifest.getBytes(StandardCharsets.UTF_8);
            String digest = store.put(bytes);
            store.sign(digest, new SignatureFile(key.keyId(), key.sign(bytes)));

            assertThat(reasons(digest)).as(manifest).containsExactly(Reason.MANIFEST_MALFORMED);
        }
    }

    @Test
    void add_nameWithFolder_refused() {
        for (String name : List.of("../x", "a/b", "a\\b", "", ".hidden", "x".repeat(129), "a\nb")) {
            assertThatThrownBy(() -> store.writer().add(Role.NOTICE, Format.TEXT, name, new byte[1]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("not permitted");
        }
    }

    @Test
    void put_sameContentTwice_keptOnce() throws IOException {
        Path source = Files.write(home.resolve("source"), new byte[1000]);
        Path kept = store.blob(store.put(source));
        Files.setLastModifiedTime(kept, FileTime.from(Instant.EPOCH));

        store.put(source);
        store.put(new byte[1000]);

        assertThat(Files.getLastModifiedTime(kept).toInstant()).isEqualTo(Instant.EPOCH);
        assertThat(storedFiles()).hasSize(1);
    }

    @Test
    void put_keptContentWasDamaged_healed() throws IOException {
        byte[] content = {1, 2, 3};
        Path kept = store.blob(store.put(content));
        Files.write(kept, new byte[] {1, 2, 4});

        store.put(content);

        assertThat(kept).hasBinaryContent(content);
    }

    @Test
    void put_interruptedAnywhere_continuesToTheSameContent() throws IOException {
        SplittableRandom random = new SplittableRandom(5);
        byte[] content = new byte[100_000];
        random.nextBytes(content);
        Path source = Files.write(home.resolve("source"), content);
        String sha256 = Digests.of(content);
        Path part = home.resolve("packages/incoming").resolve(sha256 + ".part");
        for (int round = 0; round < 20; round++) {
            Files.deleteIfExists(store.blob(sha256));
            byte[] left = Arrays.copyOf(content, random.nextInt(content.length + 100));
            // What a crash leaves can also be blocks of zeros that never reached the disk.
            if (round % 2 == 1) Arrays.fill(left, left.length / 2, left.length, (byte) 0);
            Files.write(part, left);

            assertThat(store.put(source)).isEqualTo(sha256);

            assertThat(store.blob(sha256)).hasBinaryContent(content);
            assertThat(part).doesNotExist();
        }
    }

    @Test
    void put_manyThreads_oneWholeFile() throws Exception {
        byte[] content = new byte[1 << 20];
        new SplittableRandom(3).nextBytes(content);
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<String>> puts = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                puts.add(threads.submit(() -> store.put(content)));
            }
            for (Future<String> put : puts) assertThat(put.get()).isEqualTo(Digests.of(content));
        }
        assertThat(store.blob(Digests.of(content))).hasBinaryContent(content);
    }

    @Test
    void sign_sameInputsAgain_samePackage() throws IOException {
        String first = PackageFixture.files(store, new byte[3])
                .sign(key, PackageFixture.provenance("run_1"), PackageFixture.CREATED_AT);
        String again = PackageFixture.files(store, new byte[3])
                .sign(key, PackageFixture.provenance("run_1"), PackageFixture.CREATED_AT);

        assertThat(again).isEqualTo(first);
    }

    /** Written by format version 1 on the day it was made: every later program must read it. */
    @Test
    void verify_packageOfFormatVersion1_stillRead() throws Exception {
        Path stored = Path.of(PackageStoreTest.class.getResource("package-v1").toURI());
        copy(stored, home.resolve("packages"));
        TrustedKeys then = TrustedKeys.open(home.resolve("packages/trusted"));

        String digest = store.packages().getFirst();
        Verified verified = (Verified) store.verify(digest, then);

        assertThat(digest).isEqualTo("2e4e6a94688d1dd0ed4cd24dc99065555adbbd3599fd7e366166444155143167");
        assertThat(verified.content().manifest().provenance()).isEqualTo(PackageFixture.provenance("run_fixture"));
    }

    private List<Reason> reasons(String digest) throws IOException {
        return ((Refused) store.verify(digest, trusted))
                .findings().stream().map(PackageCheck.Finding::reason).toList();
    }

    private static String subjectOf(Path file, String digest, Manifest manifest) {
        String name = file.getFileName().toString();
        if (name.endsWith(".sig")) return "signature";
        if (name.equals(digest)) return "manifest";
        return manifest.files().stream()
                .filter(f -> f.sha256().equals(name))
                .findFirst()
                .orElseThrow()
                .name();
    }

    private List<Path> storedFiles() throws IOException {
        try (Stream<Path> files = Files.walk(home.resolve("packages"))) {
            return files.filter(Files::isRegularFile)
                    .filter(f -> !f.getFileName().toString().equals("lock"))
                    .sorted()
                    .toList();
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.copy(file, target);
            }
        }
    }
}
