package io.guimo.economics;

import java.math.BigDecimal;

/** What running costs: the block {@code costs} of a business file. */
public record CostSettings(MachineSettings machine) {
    /**
     * @param perHour price of an hour of this machine, all its cores, in the business's currency: rent, or purchase written off, with power
     */
    public record MachineSettings(BigDecimal perHour) {
        private static final BigDecimal MOST = new BigDecimal(1_000_000);

        public MachineSettings {
            if (perHour.signum() < 0 || perHour.compareTo(MOST) > 0) {
                throw new IllegalArgumentException("perHour " + perHour.toPlainString() + " is outside 0 to "
                        + MOST.toPlainString() + "; give the price of an hour of this machine");
            }
        }
    }
}
