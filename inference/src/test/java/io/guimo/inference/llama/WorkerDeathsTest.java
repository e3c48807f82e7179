package io.guimo.inference.llama;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** No death of a worker hangs a request, spoils a token or keeps the next worker from serving. */
class WorkerDeathsTest {
    @Test
    void worker_killedUnderLoadAgainAndAgain_everyRequestEndsAndEveryTokenIsRight() throws Exception {
        WorkerDeaths.survive(3, 20261125);
    }

    @Test
    @Tag("long")
    void worker_killedUnderLoadFiftyTimes_everyRequestEndsAndEveryTokenIsRight() throws Exception {
        WorkerDeaths.survive(50, 1);
    }
}
