#!/bin/bash
# Tokens a second, time to the first token and between tokens, and processor time of a token: our llama.cpp engine (not yet behind HTTP) and llama.cpp's own
# llama-server on the same GGUF, by turns, at 1, 4, 16 and 64 clients with 1 and 2 threads. One line of JSON for each run.
#   benchmarks/language/run.sh GGUF LIBRARIES LLAMA_SERVER [ROUNDS]
#   GGUF: SmolLM2-135M-Instruct (catalogue entry smollm2-135m-instruct); LIBRARIES: folder of catalogue entry llama-cpp; LLAMA_SERVER: the program
set -euo pipefail
gguf=$(realpath "${1:?GGUF file}"); libraries=$(realpath "${2:?folder of libraries}"); server=$(realpath "${3:?llama-server}"); rounds=${4:-10}
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mvn -o -q -Dquick -pl inference -am test-compile dependency:build-classpath -Dmdep.outputFile="$work/classpath"
load() {
  "${JAVA_HOME:?}/bin/java" --enable-native-access=ALL-UNNAMED \
    -cp "inference/target/quick/test-classes:inference/target/quick/classes:$(cat "$work/classpath")" io.guimo.inference.llama.LanguageLoad "$@" | grep '^{'
}
runs="1:128:64:10 4:128:64:10 16:128:64:15 64:128:64:20" # clients : prompt tokens : answer tokens : seconds
theirs() {
  "$server" -m "$gguf" -np 64 -c 32768 --kv-unified -fa on -t "$1" -tb "$1" --port 18917 --no-webui --cache-ram 0 > "$work/server.log" 2>&1 &
  local pid=$!
  until curl -sf http://127.0.0.1:18917/health > /dev/null; do sleep .3; kill -0 "$pid"; done
  # shellcheck disable=SC2086
  load theirs http://127.0.0.1:18917 "$pid" $runs | sed "s/\"threads\":0/\"threads\":$1/"
  kill "$pid"; wait "$pid" || true
}
for _ in $(seq "$rounds"); do
  for threads in 1 2; do
    # shellcheck disable=SC2086
    load ours "$gguf" "$libraries" "$threads" $runs
    theirs "$threads"
  done
done
