package io.guimo.train;

/**
 * How the learning rate moves over a run.
 *
 * <ul>
 *   <li>constant: always the greatest, once warm.
 *   <li>cosine: once warm from the greatest to nothing along half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983, equation 5, without restarts).
 *   <li>one-cycle: up from a 25th of the greatest over the first {@value #WARM_UP_SHARE} of the steps, then down to nothing, both along half a
 *       cosine (Smith and Topin 2017, arXiv 1708.07120, with the cosine of libtorch's scheduler in place of straight lines).
 * </ul>
 *
 * @param schedule which of them
 * @param greatest the highest value
 * <p>Constant and cosine warm up in a straight line over a share of the steps (Goyal et al. 2017, arXiv 1706.02677, section 2.2): the first steps of
 * AdamW know too little of the gradients' size to be long.
 *
 * @param steps steps of the whole run, at least 1
 * @param warmUp share of the steps in which the rate rises, 0 to under 1; one-cycle has its own
 */
public record LearningRate(TrainSettings.Schedule schedule, double greatest, long steps, double warmUp) {
    private static final double WARM_UP_SHARE = .25;
    private static final double WARM_UP_FROM = 1.0 / 25;

    public LearningRate {
        if (steps < 1)
            throw new IllegalArgumentException(
                    "a run of " + steps + " steps has no learning rate: at least 1 is needed");
    }

    /** Without warm-up. */
    public LearningRate(TrainSettings.Schedule schedule, double greatest, long steps) {
        this(schedule, greatest, steps, 0);
    }

    /** @param stepsDone from 0 to one less than all */
    public double at(long stepsDone) {
        double done = (double) stepsDone / steps;
        long warmSteps = Math.round(warmUp * steps);
        boolean warm = stepsDone >= warmSteps;
        double rising = warm ? 1 : (stepsDone + 1.0) / (warmSteps + 1);
        return switch (schedule) {
            case CONSTANT -> greatest * rising;
            case COSINE ->
                warm ? between(greatest, 0, (double) (stepsDone - warmSteps) / (steps - warmSteps)) : greatest * rising;
            case ONE_CYCLE ->
                done < WARM_UP_SHARE
                        ? between(greatest * WARM_UP_FROM, greatest, done / WARM_UP_SHARE)
                        : between(greatest, 0, (done - WARM_UP_SHARE) / (1 - WARM_UP_SHARE));
        };
    }

    /** Along half a cosine: share 0 is the one end, 1 the other. */
    private static double between(double from, double to, double share) {
        return to + (from - to) * (1 + Math.cos(Math.PI * share)) / 2;
    }
}
