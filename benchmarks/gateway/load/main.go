// Load sends one kind of request and says how long answers took. With -rate it is an open loop: requests are due at times of their own, by chance
// (seeded, exponential gaps) as many independent customers send them, or with -even at equal gaps, whatever the answers do, and a latency counts from the time that was due, so that a stall of the server is not hidden by the loader's own waiting. With
// -rate 0 each client sends its next request when it has its answer: the highest rate. -processes names processes whose processor time, with that of
// their children, is read from /proc when measuring begins and ends, so that warming up is in neither.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"math/rand"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strconv"
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
	// Processor time of -processes over answered requests.
	CPU float64 `json:"cpuMicrosPerRequest"`
}

// Linux counts processor time for /proc in hundredths of a second on every architecture that Go runs on.
const ticksPerSecond = 100

// Ticks of processor time, by process, of the roots and of all that descend from them.
func ticks(roots map[string]bool) map[string]int {
	parents := map[string]string{}
	used := map[string]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		content, err := os.ReadFile(name)
		if err != nil {
			continue // it ended meanwhile
		}
		// the command in parentheses can hold spaces
		fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
		pid := filepath.Base(filepath.Dir(name))
		parents[pid] = fields[1]
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		used[pid] = user + system
	}
	for pid := range used {
		ancestor := pid
		for ancestor != "" && !roots[ancestor] {
			ancestor = parents[ancestor]
		}
		if ancestor == "" {
			delete(used, pid)
		}
	}
	return used
}

func main() {
	url := flag.String("url", "", "target")
	keys := flag.String("keys", "", "bearer keys, parted by commas, used in turn")
	body := flag.String("body", "{}", "request body")
	headers := flag.String("headers", "", "further headers name=value, parted by semicolons")
	rate := flag.Int("rate", 100, "requests a second; 0: as many as the clients can")
	even := flag.Bool("even", false, "equal gaps between requests instead of gaps by chance")
	clients := flag.Int("clients", 64, "connections")
	seconds := flag.Int("seconds", 10, "measured seconds")
	warm := flag.Int("warm", 3, "seconds before, not measured")
	processes := flag.String("processes", "", "process ids, parted by commas, whose processor time is counted")
	flag.Parse()

	roots := map[string]bool{}
	for _, pid := range strings.Split(*processes, ",") {
		if pid != "" {
			roots[pid] = true
		}
	}
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
	var before map[string]int
	time.AfterFunc(time.Until(measured), func() {
		now := ticks(roots)
		mutex.Lock()
		defer mutex.Unlock()
		before = now
	})
	if *rate > 0 {
		gaps := rand.New(rand.NewSource(1))
		due := start
		for n := 0; ; n++ {
			gap := 1.0
			if !*even {
				gap = gaps.ExpFloat64()
			}
			due = due.Add(time.Duration(gap * float64(time.Second) / float64(*rate)))
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
	took := time.Since(measured).Seconds()
	spent := 0
	for pid, now := range ticks(roots) {
		spent += now - before[pid]
	}

	sort.Float64s(millis)
	at := func(share float64) float64 {
		if len(millis) == 0 {
			return 0
		}
		return millis[int(share*float64(len(millis)-1))]
	}
	_ = json.NewEncoder(os.Stdout).Encode(result{
		*rate, *clients, len(millis), failed,
		float64(len(millis)) / took,
		at(.5), at(.99), at(.999), at(1),
		float64(spent) / ticksPerSecond * 1e6 / float64(max(1, len(millis))),
	})
}
