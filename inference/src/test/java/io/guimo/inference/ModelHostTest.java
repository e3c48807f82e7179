package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.registry.ModelOwner;
import io.guimo.units.Meter;
import io.guimo.units.OrganizationId;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class ModelHostTest {
    private final OrganizationId anna = OrganizationId.next();
    private final OrganizationId ben = OrganizationId.next();

    @Test
    void find_ownAndOperators_othersUnknown() {
        try (ModelHost host = new ModelHost()) {
            host.mount(ModelOwner.operator(), new Echo("shared", "1"));
            host.mount(new ModelOwner.Organization(anna), new Echo("ft:anna", "1"));

            assertThat(host.find(anna, "shared")).isPresent();
            assertThat(host.find(anna, "ft:anna")).isPresent();
            assertThat(host.find(ben, "shared")).isPresent();
            assertThat(host.find(ben, "ft:anna")).isEmpty();
            assertThat(host.visible(anna)).extracting(HostedModel::name).containsExactly("ft:anna", "shared");
            assertThat(host.visible(ben)).extracting(HostedModel::name).containsExactly("shared");
        }
    }

    @Test
    void find_sameName_ownHidesTheOperators() {
        try (ModelHost host = new ModelHost()) {
            host.mount(ModelOwner.operator(), new Echo("chat", "operator's"));
            host.mount(new ModelOwner.Organization(anna), new Echo("chat", "anna's"));

            assertThat(host.find(anna, "chat")).map(HostedModel::version).contains("anna's");
            assertThat(host.find(ben, "chat")).map(HostedModel::version).contains("operator's");
            assertThat(host.visible(anna)).extracting(HostedModel::version).containsExactly("anna's");
        }
    }

    @Test
    void mount_again_successorServesAndTheOneBeforeIsClosed() throws Exception {
        try (ModelHost host = new ModelHost()) {
            Echo first = new Echo("chat", "1");
            host.mount(ModelOwner.operator(), first);
            host.mount(ModelOwner.operator(), new Echo("chat", "2"));

            assertThat(host.find(anna, "chat")).map(HostedModel::version).contains("2");
            first.closed.await();
        }
    }

    @Test
    void unload_thenClose_everythingClosed() throws Exception {
        ModelHost host = new ModelHost();
        Echo first = new Echo("a", "1");
        Echo second = new Echo("b", "1");
        host.mount(ModelOwner.operator(), first);
        host.mount(ModelOwner.operator(), second);

        assertThat(host.unload(ModelOwner.operator(), "a")).isTrue();
        assertThat(host.unload(ModelOwner.operator(), "a")).isFalse();
        first.closed.await();
        host.close();
        assertThat(second.closed.getCount()).isZero();
        assertThat(host.all()).isEmpty();
    }

    private static final class Echo implements ItemRecommender {
        final CountDownLatch closed = new CountDownLatch(1);
        private final String name;
        private final String version;

        Echo(String name, String version) {
            this.name = name;
            this.version = version;
        }

        @Override
        public List<ScoredItem> recommend(List<String> items, int limit) {
            return List.of();
        }

        @Override
        public List<String> items() {
            return List.of();
        }

        @Override
        public int maxItems() {
            return 1;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String version() {
            return version;
        }

        @Override
        public Set<Meter> meters() {
            return Set.of(Meter.REQUESTS);
        }

        @Override
        public EngineUsage usage() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {
            closed.countDown();
        }
    }
}
