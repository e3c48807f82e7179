package io.guimo.serve.http;

/** Serves one route. */
@FunctionalInterface
public interface Handler {
    /**
     * @return the answer; a {@link RefusedException} thrown on the way is answered as its refusal, any other exception as 500
     */
    Answer handle(Exchange exchange) throws Exception;
}
