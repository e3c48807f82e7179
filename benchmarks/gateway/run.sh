#!/bin/sh
# What governing a request costs: the same no-op model with and without key, reservation, settlement and durable usage, by turns, at fixed rates and as
# fast as it goes; then chat forwarded to a no-op upstream. Wants Go, a JDK 25 in JAVA_HOME and Maven. One line of JSON for each run.
#   benchmarks/gateway/run.sh [seconds of each run, 10] [customers, 16]
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-10}; customers=${2:-16}
work=benchmarks/gateway/target; mkdir -p "$work"
(cd benchmarks/gateway && go build -o target/load ./load && go build -o target/upstream ./upstream)
mvn -o -q -Dquick -pl serve -am test-compile dependency:build-classpath -Dmdep.includeScope=test -Dmdep.regenerateFile=true -Dmdep.outputFile="$PWD/$work/classpath"
home=$(mktemp -d)
"$work/upstream" -address 127.0.0.1:9100 & upstream=$!
"$JAVA_HOME/bin/java" -Xmx512m --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -cp "serve/target/quick/test-classes:serve/target/quick/classes:$(cat "$work/classpath")" \
  io.guimo.serve.GatewayServer "$home" http://127.0.0.1:9100/v1 "$customers" > "$work/server.json" & server=$!
trap 'kill $server $upstream 2>/dev/null; wait $server 2>/dev/null; rm -rf "$home"' EXIT INT TERM
until grep -q url "$work/server.json"; do kill -0 $server; sleep .2; done
value() { sed 's/.*"'"$1"'":"\{0,1\}\([^",}]*\).*/\1/' "$work/server.json"; }
url=$(value url); keys=$(sed 's/.*"keys":"\([^"]*\)".*/\1/' "$work/server.json"); java=$(value java); postgres=$(value postgres)
echo "{\"commitMillisP50\":$(value commitMillisP50)}"

run() { # name, path, keys, body, rate, clients
  line=$("$work/load" -url "$url$2" -keys "$3" -body "$4" -rate "$5" -clients "$6" -seconds "$seconds" -warm 3 -processes "$java,$postgres")
  echo "{\"run\":\"$1\",${line#\{}"
}
body='{"model":"noop","items":["bread"],"limit":2}'
chat='{"model":"chat","messages":[{"role":"user","content":"hello"}]}'
run warm-up /v1/recommendations "$keys" "$body" 0 64 > /dev/null
for rate in ${RATES:-100 500 1000 2000}; do
  run ungoverned /v1/ungoverned "" "$body" "$rate" 64
  run governed /v1/recommendations "$keys" "$body" "$rate" 64
done
for clients in 1 64 256; do
  run ungoverned /v1/ungoverned "" "$body" 0 "$clients"
  run governed /v1/recommendations "$keys" "$body" 0 "$clients"
done
for clients in 1 64; do run governed-chat /v1/chat/completions "$keys" "$chat" 0 "$clients"; done
