package io.guimo.registry;

import java.util.List;

/** What verification of a package found. */
public sealed interface PackageCheck permits PackageCheck.Verified, PackageCheck.Refused {
    /**
     * Every byte is what was signed.
     *
     * @param keyId the key that signed, one of the trusted
     */
    record Verified(ModelPackage content, String keyId) implements PackageCheck {}

    /** @param findings everything that differs, at least one */
    record Refused(List<Finding> findings) implements PackageCheck {
        public Refused {
            findings = List.copyOf(findings);
        }

        /** All findings in one paragraph. */
        public String message() {
            return String.join("; ", findings.stream().map(Finding::message).toList());
        }
    }

    /** Why a package is refused. */
    enum Reason {
        MISSING,
        UNSIGNED,
        SIGNATURE_MALFORMED,
        KEY_NOT_TRUSTED,
        SIGNATURE_DIFFERS,
        MANIFEST_DIFFERS,
        MANIFEST_MALFORMED,
        FILE_MISSING,
        FILE_SIZE_DIFFERS,
        FILE_DIGEST_DIFFERS
    }

    /** @param subject the manifest, the signature or the file that differs */
    record Finding(Reason reason, String subject, String message) {}
}
