// Upstream answers chat completions at once with a fixed answer, so that what is measured before it is the gateway alone.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
)

const answer = `{"id":"chatcmpl-0","object":"chat.completion","created":0,"model":"noop","choices":[{"index":0,` +
	`"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],` +
	`"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}`

const chunk = `data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":0,"model":"noop",` +
	`"choices":[{"index":0,"delta":{"content":"ok "},"finish_reason":null}]}` + "\n\n"

const last = `data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":0,"model":"noop","choices":[],` +
	`"usage":{"prompt_tokens":9,"completion_tokens":%d,"total_tokens":%d}}` + "\n\ndata: [DONE]\n\n"

func main() {
	address := flag.String("address", "127.0.0.1:9100", "where to listen")
	chunks := flag.Int("chunks", 20, "chunks of a stream")
	flag.Parse()
	http.HandleFunc("/v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if !strings.Contains(string(body), `"stream":true`) {
			w.Header().Set("content-type", "application/json")
			_, _ = io.WriteString(w, answer)
			return
		}
		w.Header().Set("content-type", "text/event-stream")
		for i := 0; i < *chunks; i++ {
			_, _ = io.WriteString(w, chunk)
			w.(http.Flusher).Flush()
		}
		_, _ = fmt.Fprintf(w, last, *chunks, *chunks+9)
	})
	log.Fatal(http.ListenAndServe(*address, nil))
}
