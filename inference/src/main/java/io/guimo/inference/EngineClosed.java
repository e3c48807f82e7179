package io.guimo.inference;

/** The engine is closing or closed: the server stops, or another version takes its place. */
public final class EngineClosed extends InferenceRefusal {
    private static final long serialVersionUID = 1;

    public EngineClosed(String model, String version) {
        super("model " + model + " version " + version + " is being unloaded; send the request again");
    }

    @Override
    public String code() {
        return "engine_closed";
    }

    @Override
    public boolean retryable() {
        return true;
    }
}
