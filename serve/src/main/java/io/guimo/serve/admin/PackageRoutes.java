package io.guimo.serve.admin;

import io.guimo.registry.ModelOwner;
import io.guimo.registry.ModelVersion;
import io.guimo.registry.PackageCheck;
import io.guimo.registry.PackageStore;
import io.guimo.registry.Registry;
import io.guimo.registry.TrustedKeys;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Route;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Whether a version's package is still what was signed. */
final class PackageRoutes {
    private final Registry registry;
    private final PackageStore store;
    private final TrustedKeys trusted;

    PackageRoutes(Registry registry, PackageStore store, TrustedKeys trusted) {
        this.registry = registry;
        this.store = store;
        this.trusted = trusted;
    }

    List<Route> routes() {
        return List.of(Route.get(
                "/admin/v1/models/{model}/versions/{version}/verify",
                Access.OWNER,
                Route.About.of(
                                "verifyModel",
                                "Registry",
                                "Reads every byte of a version's package and compares it with what was signed")
                        .answer(PackageCheckView.class),
                this::verify));
    }

    private Answer verify(Exchange exchange) throws IOException {
        String model = exchange.variable("model");
        int number = Answers.id(exchange, "version", Integer::parseInt);
        ModelVersion version = registry.find(ModelOwner.operator(), model, number)
                .orElseThrow(() -> Answers.notFound("version", model + " " + number));
        return Content.json(PackageCheckView.of(store.verify(version.packageDigest(), trusted)));
    }

    /**
     * @param keyId the trusted key that signed; null where the package is refused
     * @param findings everything that differs
     */
    record PackageCheckView(boolean verified, @Nullable String keyId, List<FindingView> findings) {
        static PackageCheckView of(PackageCheck check) {
            return switch (check) {
                case PackageCheck.Verified(var _, String keyId) -> new PackageCheckView(true, keyId, List.of());
                case PackageCheck.Refused(List<PackageCheck.Finding> findings) ->
                    new PackageCheckView(
                            false, null, findings.stream().map(FindingView::of).toList());
            };
        }
    }

    /** @param subject the manifest, the signature or the file that differs */
    record FindingView(PackageCheck.Reason reason, String subject, String message) {
        static FindingView of(PackageCheck.Finding finding) {
            return new FindingView(finding.reason(), finding.subject(), finding.message());
        }
    }
}
