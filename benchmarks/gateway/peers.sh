#!/bin/sh
# Ours and the peers by turns on the same no-op upstream, one hop each: chat completions as fast as they go. Ours checks the key, reserves, settles and
# makes the usage durable; LiteLLM runs without keys and budgets (its own need a database client that is not in its package), Portkey's gateway bills
# nothing. One line of JSON for each run. Wants what run.sh wants, and
#   python3 -m venv litellm && litellm/bin/pip install 'litellm[proxy]'        npm i @portkey-ai/gateway@1.15.2
#   benchmarks/gateway/peers.sh LITELLM_COMMAND PORTKEY_START_SERVER_JS [seconds of each run, 10] [rounds, 3]
set -eu
litellm=$1; portkey=$2; seconds=${3:-10}; rounds=${4:-3}; customers=16; keys=16
. "$(dirname "$0")/ours.sh"
start_ours
cat > "$work/litellm.yaml" <<YAML
model_list:
  - {model_name: noop, litellm_params: {model: openai/noop, api_base: "http://127.0.0.1:9100/v1", api_key: none}}
YAML
LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY=true "$litellm" --config "$work/litellm.yaml" --host 127.0.0.1 --port 4000 --num_workers 1 > "$work/litellm.log" 2>&1 & pids="$pids $!"
node "$portkey" --port=8787 --headless > "$work/portkey.log" 2>&1 & pids="$pids $!"
body='{"model":"noop","messages":[{"role":"user","content":"hello"}]}'
ours='{"model":"chat","messages":[{"role":"user","content":"hello"}]}'
portkey_headers='x-portkey-provider=openai;x-portkey-custom-host=http://127.0.0.1:9100/v1'
waited=0
until curl -sf -o /dev/null -H 'content-type: application/json' -d "$body" http://127.0.0.1:4000/v1/chat/completions; do
  waited=$((waited + 1)); [ $waited -lt 120 ] || { cat "$work/litellm.log"; exit 1; }
  sleep 1
done
run() { # name, url, keys, body, headers, clients
  line=$("$work/load" -url "$2" -keys "$3" -body "$4" -headers "$5" -rate 0 -clients "$6" -seconds "$seconds" -warm 3)
  echo "{\"run\":\"$1\",${line#\{}"
}
run warm-up "$url/v1/chat/completions" "$keys" "$ours" "" 64 > /dev/null
round=0
while [ $round -lt "$rounds" ]; do
  for clients in 64 256; do
    run ours "$url/v1/chat/completions" "$keys" "$ours" "" $clients
    run litellm http://127.0.0.1:4000/v1/chat/completions none "$body" "" $clients
    run portkey http://127.0.0.1:8787/v1/chat/completions none "$body" "$portkey_headers" $clients
  done
  round=$((round + 1))
done
