#!/bin/sh
# The peers on the same no-op upstream, one hop like ours: chat completions as fast as they go. LiteLLM runs without keys and budgets (its own need a
# database client that is not in its package), Portkey's gateway bills nothing. One line of JSON for each run. Run run.sh before: it builds load and upstream.
#   benchmarks/gateway/peers.sh LITELLM_COMMAND PORTKEY_START_SERVER_JS [seconds of each run, 10] [rounds, 2]
set -eu
cd "$(dirname "$0")"
litellm=$1; portkey=$2; seconds=${3:-10}; rounds=${4:-2}
work=target; pids=
trap 'kill $pids 2>/dev/null || true' EXIT INT TERM
"$work/upstream" -address 127.0.0.1:9100 & pids="$pids $!"
cat > "$work/litellm.yaml" <<YAML
model_list:
  - {model_name: noop, litellm_params: {model: openai/noop, api_base: "http://127.0.0.1:9100/v1", api_key: none}}
YAML
LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY=true "$litellm" --config "$work/litellm.yaml" --host 127.0.0.1 --port 4000 --num_workers 1 > "$work/litellm.log" 2>&1 & pids="$pids $!"
node "$portkey" --port=8787 --headless > "$work/portkey.log" 2>&1 & pids="$pids $!"
body='{"model":"noop","messages":[{"role":"user","content":"hello"}]}'
portkey_headers='x-portkey-provider=openai;x-portkey-custom-host=http://127.0.0.1:9100/v1'
waited=0
until curl -sf -o /dev/null -H 'content-type: application/json' -d "$body" http://127.0.0.1:4000/v1/chat/completions; do
  waited=$((waited + 1)); [ $waited -lt 120 ] || { cat "$work/litellm.log"; exit 1; }
  sleep 1
done
run() { # name, url, headers, clients
  line=$("$work/load" -url "$2" -keys none -body "$body" -headers "$3" -rate 0 -clients "$4" -seconds "$seconds" -warm 3)
  echo "{\"run\":\"$1\",${line#\{}"
}
round=0
while [ $round -lt "$rounds" ]; do
  run litellm http://127.0.0.1:4000/v1/chat/completions "" 64
  run portkey http://127.0.0.1:8787/v1/chat/completions "$portkey_headers" 64
  round=$((round + 1))
done
