#!/bin/bash
# The shop as it runs: labels a second and the latency that the server adds to the model, memory at rest and under load, and how fast it starts.
#   benchmarks/labels/run.sh HOME [SECONDS, 8] [ROUNDS, 2]
# HOME: a home folder on which ./guimo up has run (it is made if it is new: training takes minutes). Wants Go, a JDK 25 in JAVA_HOME, Maven, curl.
set -euo pipefail
cd "$(dirname "$0")/../.."
home=${1:?home folder}; seconds=${2:-8}; rounds=${3:-2}
work=benchmarks/labels/target; mkdir -p "$work"
(cd benchmarks/gateway && go build -o ../labels/target/load ./load)
[ -f "$home/owner.key" ] || ./guimo up --once --home "$home" > "$work/up.log"
mvn -o -q -Dquick -pl inference -am test-compile dependency:build-classpath -Dmdep.includeScope=test -Dmdep.outputFile="$PWD/$work/classpath"
printf -- '-cp\n"inference/target/quick/test-classes:inference/target/quick/classes:%s"\n' "$(cat "$work/classpath")" > "$work/alone.args"
value() { sed -n 's/.*"'"$1"'" *: *"\{0,1\}\([^",}]*\).*/\1/p' "$2" | head -n 1; }
# a photo of 28 x 28 grey pixels, as the shop's are
python3 - "$work/photo.png" <<'P'
import random, struct, sys, zlib
random.seed(1)
rows = b"".join(b"\0" + bytes(max(0, 240 - 12 * (abs(x - 14) + abs(y - 14)) + random.randrange(12)) for x in range(28)) for y in range(28))
chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
P
body="{\"images\":[\"$(base64 -w 0 "$work/photo.png")\"]}"

rm -f "$work/report.json"; started=$(date +%s%N)
./guimo up --home "$home" --port 0 --report "$work/report.json" > "$work/serve.log" 2>&1 & launcher=$!
trap 'kill -TERM $launcher 2>/dev/null; wait $launcher 2>/dev/null || true' EXIT
until [ -s "$work/report.json" ]; do kill -0 $launcher; sleep .05; done
echo "{\"run\":\"warm start with models, to the report\",\"seconds\":$(awk -v a="$started" -v b="$(date +%s%N)" 'BEGIN{printf "%.2f", (b-a)/1e9}')}"
url=$(value baseUrl "$work/report.json"); key=$(value customerKey "$work/report.json"); owner=$(value ownerKey "$work/report.json")
customer=$(curl -sf -H "authorization: Bearer $owner" "$url/admin/v1/organizations?limit=100" | tr '{' '\n' | grep -v '"operator":true' | sed -n 's/.*"id":"\(org_[^"]*\)".*/\1/p' | head -n 1)
curl -sf -o /dev/null -H "authorization: Bearer $owner" -H "idempotency-key: labels $started" -H 'content-type: application/json' -d '{"amount": 100000}' "$url/admin/v1/organizations/$customer/credits"
java=$launcher; postgres=$(pgrep -P "$java" -f 'bin/postgres' | head -n 1)
memory() { # resident memory; the database's shared pages are counted once (Pss)
  awk -v run="$1" '/^Rss/ {rss += $2} /^Pss:/ {pss += $2} END {printf "{\"run\":\"memory %s\",\"mebibytes\":%.0f}\n", run, pss / 1024}' \
    $(for p in $java $postgres $(pgrep -P "$postgres"); do echo "/proc/$p/smaps_rollup"; done)
}
sleep 3; memory "at rest, server and database"
load() { "$work/load" -url "$url/v1/predict/photo-labels" -keys "$key" -body "$body" -rate 0 -clients "$1" -seconds "$2" -warm "$3" -processes "$java,$postgres"; }
load 8 1 4 > /dev/null
for _ in $(seq "$rounds"); do
  for clients in 1 8 64; do load "$clients" "$seconds" 1 | sed 's/^{/{"run":"governed over HTTP",/'; done
  memory "under load, server and database"
  "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Xmx1g "@$work/alone.args" \
    io.guimo.inference.LabelsAlone "$home" "$work/photo.png" "$seconds" 2> "$work/alone.log" | grep run
done
