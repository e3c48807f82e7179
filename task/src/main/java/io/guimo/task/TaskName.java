package io.guimo.task;

import java.util.Locale;

/** The tasks that a business file can name, in kebab case: {@code classify-images}. */
public enum TaskName {
    CLASSIFY_IMAGES,
    RECOMMEND_ITEMS,
    EMBED_TEXT,
    GENERATE_TEXT;

    /** As a business file and a manifest spell it. */
    public String fileName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** What the rest of the house asks of it. */
    public Task task() {
        return switch (this) {
            case CLASSIFY_IMAGES -> new ClassifyImages();
            case RECOMMEND_ITEMS -> new RecommendItems();
            case EMBED_TEXT -> new EmbedText();
            case GENERATE_TEXT -> new GenerateText();
        };
    }
}
