package io.guimo.inference;

import io.guimo.registry.ModelOwner;
import io.guimo.units.OrganizationId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The models that are ready to answer, and who may learn of them. Finding one costs a look into a map.
 *
 * <p>A model replaced by {@link #mount} is closed in the background after its successor is visible: it answers what it accepted, and a request that
 * reached it in between is refused with the retryable {@link EngineClosed}.
 */
public final class ModelHost implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ModelHost.class);

    private record Address(ModelOwner owner, String name) {}

    private final Map<Address, HostedModel> models = new ConcurrentHashMap<>();

    /**
     * The model that a caller of this organisation means by this name: its own before the operator's.
     *
     * @return empty for an unknown name and for another organisation's model alike
     */
    public Optional<HostedModel> find(OrganizationId organization, String name) {
        @Nullable HostedModel own = models.get(new Address(new ModelOwner.Organization(organization), name));
        if (own != null) return Optional.of(own);
        return Optional.ofNullable(models.get(new Address(ModelOwner.operator(), name)));
    }

    /** Every model that this organisation may learn of, by name; its own hide the operator's of the same name. */
    public List<HostedModel> visible(OrganizationId organization) {
        Map<String, HostedModel> byName = new HashMap<>();
        models.forEach((address, model) -> {
            if (!address.owner().visibleTo(organization)) return;
            if (address.owner() instanceof ModelOwner.Operator) byName.putIfAbsent(address.name(), model);
            else byName.put(address.name(), model);
        });
        return byName.values().stream()
                .sorted(Comparator.comparing(HostedModel::name))
                .toList();
    }

    /** Every hosted model, for the owner and for measurements. */
    public List<HostedModel> all() {
        return models.values().stream()
                .sorted(Comparator.comparing(HostedModel::name))
                .toList();
    }

    /** Makes a ready engine visible under its name; the one it replaces is drained and closed. */
    public void mount(ModelOwner owner, HostedModel model) {
        retire(models.put(new Address(owner, model.name()), model));
    }

    /** @return whether there was such a model; it is drained and closed in the background */
    public boolean unload(ModelOwner owner, String name) {
        @Nullable HostedModel removed = models.remove(new Address(owner, name));
        retire(removed);
        return removed != null;
    }

    private static void retire(@Nullable HostedModel model) {
        if (model == null) return;
        Thread.ofPlatform().name("retire-" + model.name()).start(() -> {
            model.close();
            LOG.info("model {} version {} unloaded", model.name(), model.version());
        });
    }

    /** Drains and closes every model. */
    @Override
    public void close() {
        for (Address address : new ArrayList<>(models.keySet())) {
            @Nullable HostedModel model = models.remove(address);
            if (model != null) model.close();
        }
    }
}
