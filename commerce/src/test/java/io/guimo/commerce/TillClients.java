package io.guimo.commerce;

import io.guimo.commerce.Authorization.Granted;
import io.guimo.commerce.UsageRequest.Delivery;
import io.guimo.commerce.account.Caller;
import io.guimo.commerce.account.Organization;
import io.guimo.commerce.account.Role;
import io.guimo.postgres.Database;
import io.guimo.postgres.DatabaseAddress;
import io.guimo.postgres.EmbeddedPostgres;
import io.guimo.units.Cursor;
import io.guimo.units.KeyId;
import io.guimo.units.Meter;
import io.guimo.units.ProjectId;
import io.guimo.units.RequestId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Run in a JVM of its own by a test that kills it: clients that send for ever, requests and streams, and print what was acknowledged. {@code
 * folder PATH} starts the database of a folder, {@code address URL USER PASSWORD} uses one that runs and only reserves.
 */
public final class TillClients {
    static final int CLIENTS = 32;

    private TillClients() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("folder")) {
            EmbeddedPostgres server = EmbeddedPostgres.start(Path.of(arguments[1]));
            sendForEver(new TillFixture(Database.open(server.address())));
        } else {
            DatabaseAddress address = new DatabaseAddress(arguments[1], arguments[2], arguments[3]);
            reserveOnly(new TillFixture(Database.open(address)));
        }
        Thread.currentThread().join();
    }

    private static List<Caller> callers(TillFixture shop) {
        return shop.organizations.list(Cursor.first(100)).items().stream()
                .filter(Organization::sandbox)
                .map(o -> new Caller(KeyId.next(), o.id(), ProjectId.next(), Role.CUSTOMER))
                .toList();
    }

    private static void sendForEver(TillFixture shop) {
        Till till = shop.open("crashing");
        List<Caller> callers = callers(shop);
        for (int client = 0; client < CLIENTS; client++) {
            Random random = new Random(client);
            Thread.ofVirtual().start(() -> {
                while (true) send(till, callers.get(random.nextInt(callers.size())), random.nextInt(4) == 0);
            });
        }
    }

    private static void send(Till till, Caller caller, boolean stream) {
        UsageRequest request = stream
                ? TillFixture.request(caller, "labels", Meter.IMAGES, 2)
                : TillFixture.brief(caller, "labels", Meter.IMAGES, 2);
        if (!(till.authorize(request) instanceof Granted(Reservation reservation))) {
            throw new IllegalStateException("the wallet was to last");
        }
        if (stream) {
            till.extend(reservation, Map.of(Meter.IMAGES, 1L), Map.of(Meter.IMAGES, 4L));
            till.settleDelivered(reservation, Map.of(Meter.IMAGES, 3L), true, null);
        } else {
            till.settle(reservation, Map.of(Meter.IMAGES, 2L), null);
        }
        System.out.println(request.id());
    }

    /** Five requests that never end: a plain one, and streams that have recorded 1 to 4 units. */
    private static void reserveOnly(TillFixture shop) {
        Till till = shop.open("dying");
        Caller caller = callers(shop).getLast();
        for (int i = 0; i < 5; i++) {
            RequestId id = RequestId.next();
            UsageRequest request =
                    new UsageRequest(id, caller, "labels", Map.of(Meter.IMAGES, 2L), null, Delivery.BEFORE_SETTLE);
            Reservation reservation = TillFixture.granted(till.authorize(request));
            if (i > 0) till.extend(reservation, Map.of(Meter.IMAGES, (long) i), Map.of(Meter.IMAGES, 6L));
        }
        System.out.println("reserved");
    }
}
