#!/bin/sh
# What governing a request costs: the same no-op model with and without key, reservation, settlement and durable usage, by turns, at fixed rates and as
# fast as it goes; then chat forwarded to a no-op upstream. Wants Go, a JDK 25 in JAVA_HOME and Maven. One line of JSON for each run.
#   benchmarks/gateway/run.sh [seconds of each run, 10] [customers, 16] [keys of all customers, as many] [rates, "100 500 1000 2000"]
set -eu
seconds=${1:-10}; customers=${2:-16}; keys=${3:-$customers}; rates=${4:-100 500 1000 2000}
. "$(dirname "$0")/ours.sh"
start_ours
echo "{\"commitMillisP50\":$commit}"

run() { # name, path, keys, body, rate, clients
  line=$("$work/load" -url "$url$2" -keys "$3" -body "$4" -rate "$5" -clients "$6" -seconds "$seconds" -warm 3 -processes "$java,$postgres")
  echo "{\"run\":\"$1\",${line#\{}"
}
body='{"model":"noop","items":["bread"],"limit":2}'
chat='{"model":"chat","messages":[{"role":"user","content":"hello"}]}'
run warm-up /v1/recommendations "$keys" "$body" 0 64 > /dev/null
for rate in $rates; do
  run ungoverned /v1/ungoverned "" "$body" "$rate" 64
  run governed /v1/recommendations "$keys" "$body" "$rate" 64
done
for clients in 1 64 256; do
  run ungoverned /v1/ungoverned "" "$body" 0 "$clients"
  run governed /v1/recommendations "$keys" "$body" 0 "$clients"
done
for clients in 1 64 256; do run governed-chat /v1/chat/completions "$keys" "$chat" 0 "$clients"; done
