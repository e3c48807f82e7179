package io.guimo.inference;

import io.guimo.data.DataException;
import io.guimo.registry.ModelOwner;
import io.guimo.registry.ModelPackage;
import io.guimo.registry.ModelVersion;
import io.guimo.registry.PackageCheck;
import io.guimo.registry.PackageStore;
import io.guimo.registry.Registry;
import io.guimo.registry.TrustedKeys;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a host's models what the registry says should serve: verifies and loads each promoted version, also one promoted while the server runs, here
 * or by another server on the same database. A version that cannot be loaded leaves the one before it serving.
 */
public final class PackagedModels implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PackagedModels.class);

    private record Address(ModelOwner owner, String model) {}

    private final ModelHost host;
    private final PackageStore store;
    private final TrustedKeys trusted;
    private final UnsignedPackages unsigned;
    private final EngineLoader loader;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition wake = lock.newCondition();
    /** Package digests by model, as last loaded or refused: a refused package is not tried again until another version is promoted. */
    private final Map<Address, String> seen = new HashMap<>();

    private final Map<Address, LoadResult.Refused> refused = new HashMap<>();
    private boolean promotionSeen;
    private boolean closed;
    private @Nullable Thread follower;

    public PackagedModels(
            ModelHost host, PackageStore store, TrustedKeys trusted, UnsignedPackages unsigned, EngineLoader loader) {
        this.host = host;
        this.store = store;
        this.trusted = trusted;
        this.unsigned = unsigned;
        this.loader = loader;
    }

    /** Verifies a version's package, starts its engine and puts it in place of the version before. Blocks until the model can answer. */
    public LoadResult load(ModelVersion version) {
        long began = System.nanoTime();
        LoadResult result = open(version);
        Address address = new Address(version.owner(), version.model());
        lock.lock();
        try {
            seen.put(address, version.packageDigest());
            switch (result) {
                case LoadResult.Loaded(HostedModel model) -> {
                    refused.remove(address);
                    if (closed) {
                        model.close();
                    } else {
                        host.mount(version.owner(), model);
                        LOG.info(
                                "model {} version {} serves, verified and loaded in {} ms",
                                model.name(),
                                model.version(),
                                (System.nanoTime() - began) / 1_000_000);
                    }
                }
                case LoadResult.Refused problem -> {
                    refused.put(address, problem);
                    LOG.error(
                            "model {} version {} is not loaded: {}",
                            problem.model(),
                            problem.version(),
                            problem.message());
                }
            }
        } finally {
            lock.unlock();
        }
        return result;
    }

    private LoadResult open(ModelVersion version) {
        try {
            return switch (check(version.packageDigest())) {
                case PackageCheck.Verified(ModelPackage content, String _) ->
                    new LoadResult.Loaded(loader.open(version.model(), Integer.toString(version.version()), content));
                case PackageCheck.Refused differing -> refusal(version, differing.message());
            };
        } catch (IOException | IllegalArgumentException | DataException e) {
            return refusal(version, String.valueOf(e.getMessage()));
        }
    }

    /** A signature that is there must be right, also where none is asked for. */
    private PackageCheck check(String digest) throws IOException {
        PackageCheck check = store.verify(digest, trusted);
        boolean merelyUnsigned = check instanceof PackageCheck.Refused(List<PackageCheck.Finding> findings)
                && findings.stream().allMatch(f -> f.reason() == PackageCheck.Reason.UNSIGNED);
        return merelyUnsigned && unsigned == UnsignedPackages.LOAD ? store.verifyUnsigned(digest) : check;
    }

    private static LoadResult refusal(ModelVersion version, String message) {
        return new LoadResult.Refused(version.model(), version.version(), message);
    }

    /**
     * Loads what serves and is not loaded yet, several at a time, and unloads what serves no more.
     *
     * @return one result for each version tried
     */
    public List<LoadResult> refresh(Registry registry) {
        List<ModelVersion> wanted = new ArrayList<>();
        Set<Address> serving = new HashSet<>();
        for (ModelVersion version : registry.serving()) {
            Address address = new Address(version.owner(), version.model());
            serving.add(address);
            if (!version.packageDigest().equals(seenDigest(address))) wanted.add(version);
        }
        List<LoadResult> results = loadAll(wanted);
        for (Address gone : goneSince(serving)) host.unload(gone.owner(), gone.model());
        return results;
    }

    private List<LoadResult> loadAll(List<ModelVersion> versions) {
        if (versions.isEmpty()) return List.of();
        int loaders = Math.min(versions.size(), Runtime.getRuntime().availableProcessors());
        try (ExecutorService threads = Executors.newFixedThreadPool(loaders)) {
            List<CompletableFuture<LoadResult>> loading = versions.stream()
                    .map(version -> CompletableFuture.supplyAsync(() -> load(version), threads))
                    .toList();
            return loading.stream().map(CompletableFuture::join).toList();
        }
    }

    private @Nullable String seenDigest(Address address) {
        lock.lock();
        try {
            return seen.get(address);
        } finally {
            lock.unlock();
        }
    }

    private Set<Address> goneSince(Set<Address> serving) {
        lock.lock();
        try {
            Set<Address> gone = new HashSet<>(seen.keySet());
            gone.removeAll(serving);
            gone.forEach(seen::remove);
            gone.forEach(refused::remove);
            return gone;
        } finally {
            lock.unlock();
        }
    }

    /** Promoted versions that could not be loaded. */
    public List<LoadResult.Refused> refused() {
        lock.lock();
        try {
            return List.copyOf(refused.values());
        } finally {
            lock.unlock();
        }
    }

    /**
     * Loads what serves now, then follows: a promotion in this process at once, one by another server within {@code every}.
     *
     * @return results of the first loading
     */
    public List<LoadResult> follow(Registry registry, Duration every) {
        List<LoadResult> first = refresh(registry);
        registry.onPromotion(_ -> wake());
        lock.lock();
        try {
            if (follower != null) throw new IllegalStateException("these models follow a registry already");
            follower = Thread.ofPlatform().daemon().name("models-follow").start(() -> followLoop(registry, every));
        } finally {
            lock.unlock();
        }
        return first;
    }

    private void wake() {
        lock.lock();
        try {
            promotionSeen = true;
            wake.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void followLoop(Registry registry, Duration every) {
        while (awaitNext(every)) {
            try {
                refresh(registry);
            } catch (RuntimeException e) {
                // The database may be away for a while; what is loaded goes on serving.
                LOG.warn("could not ask which models serve; asking again in {}: {}", every, e.getMessage());
            }
        }
    }

    private boolean awaitNext(Duration every) {
        lock.lock();
        try {
            long left = every.toNanos();
            while (!promotionSeen && !closed && left > 0) left = wake.awaitNanos(left);
            promotionSeen = false;
            return !closed;
        } catch (InterruptedException end) {
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** Stops following. The models stay hosted until the host is closed. */
    @Override
    public void close() {
        @Nullable Thread following;
        lock.lock();
        try {
            closed = true;
            wake.signalAll();
            following = follower;
        } finally {
            lock.unlock();
        }
        if (following == null) return;
        boolean interrupted = false;
        while (following.isAlive()) {
            try {
                following.join();
            } catch (InterruptedException wish) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }
}
