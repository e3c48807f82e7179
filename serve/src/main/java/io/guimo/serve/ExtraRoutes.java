package io.guimo.serve;

import io.guimo.serve.http.Route;
import java.util.List;

/** Routes of a business or of the console, added to those of the server. */
@FunctionalInterface
public interface ExtraRoutes {
    /**
     * @param governed the way of what is sold
     * @param models which models a caller has
     */
    List<Route> routes(Governed governed, Models models);
}
