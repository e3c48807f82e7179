// Load sends one kind of request and says how long answers took. With -rate it is an open loop: requests are due at fixed times whatever the
// answers do, and a latency counts from the time that was due, so that a stall of the server is not hidden by the loader's own waiting. With
// -rate 0 each client sends its next request when it has its answer: the highest rate.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

type result struct {
	Rate     int     `json:"rate"`
	Clients  int     `json:"clients"`
	Answered int     `json:"answered"`
	Failed   int     `json:"failed"`
	PerSec   float64 `json:"perSecond"`
	P50      float64 `json:"p50Millis"`
	P99      float64 `json:"p99Millis"`
	P999     float64 `json:"p999Millis"`
	Max      float64 `json:"maxMillis"`
}

func main() {
	url := flag.String("url", "", "target")
	keys := flag.String("keys", "", "bearer keys, parted by commas, used in turn")
	body := flag.String("body", "{}", "request body")
	headers := flag.String("headers", "", "further headers name=value, parted by semicolons")
	rate := flag.Int("rate", 100, "requests a second; 0: as many as the clients can")
	clients := flag.Int("clients", 64, "connections")
	seconds := flag.Int("seconds", 10, "measured seconds")
	warm := flag.Int("warm", 3, "seconds before, not measured")
	flag.Parse()

	bearer := strings.Split(*keys, ",")
	client := &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: *clients, MaxConnsPerHost: *clients, DisableCompression: true},
	}
	start := time.Now()
	measured := start.Add(time.Duration(*warm) * time.Second)
	end := measured.Add(time.Duration(*seconds) * time.Second)

	var mutex sync.Mutex
	var millis []float64
	failed := 0
	send := func(due time.Time, n int) {
		request, err := http.NewRequest("POST", *url, bytes.NewReader([]byte(*body)))
		if err != nil {
			panic(err)
		}
		request.Header.Set("content-type", "application/json")
		if key := bearer[n%len(bearer)]; key != "" {
			request.Header.Set("authorization", "Bearer "+key)
		}
		for _, header := range strings.Split(*headers, ";") {
			if name, value, found := strings.Cut(header, "="); found {
				request.Header.Set(name, value)
			}
		}
		answer, err := client.Do(request)
		good := err == nil
		if good {
			_, err = io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			good = err == nil && answer.StatusCode == 200
		}
		took := float64(time.Since(due)) / float64(time.Millisecond)
		if due.Before(measured) {
			return
		}
		mutex.Lock()
		defer mutex.Unlock()
		if good {
			millis = append(millis, took)
		} else {
			failed++
		}
	}

	type job struct {
		due time.Time
		n   int
	}
	jobs := make(chan job, 1<<20)
	var running sync.WaitGroup
	for c := 0; c < *clients; c++ {
		running.Add(1)
		go func(n int) {
			defer running.Done()
			if *rate > 0 {
				for j := range jobs {
					send(j.due, j.n)
				}
				return
			}
			for now := time.Now(); now.Before(end); now = time.Now() {
				send(now, n)
				n += *clients
			}
		}(c)
	}
	if *rate > 0 {
		for n := 0; ; n++ {
			due := start.Add(time.Duration(float64(n) * float64(time.Second) / float64(*rate)))
			if !due.Before(end) {
				break
			}
			if wait := time.Until(due); wait > 0 {
				time.Sleep(wait)
			}
			jobs <- job{due, n}
		}
		close(jobs)
	}
	running.Wait()

	sort.Float64s(millis)
	at := func(share float64) float64 {
		if len(millis) == 0 {
			return 0
		}
		return millis[int(share*float64(len(millis)-1))]
	}
	_ = json.NewEncoder(os.Stdout).Encode(result{
		*rate, *clients, len(millis), failed,
		float64(len(millis)) / time.Since(measured).Seconds(),
		at(.5), at(.99), at(.999), at(1),
	})
}
