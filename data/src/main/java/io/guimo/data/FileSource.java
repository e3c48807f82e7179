package io.guimo.data;

import java.io.IOException;

/** Brings the files of a catalogue entry from one kind of place. */
interface FileSource {
    /**
     * Puts every file of the entry into the staging folder.
     *
     * @throws IOException saying why this place cannot give them; what was staged is thrown away
     */
    void collect(CatalogueEntry entry, Staging staging, FetchProgress progress) throws IOException;
}
