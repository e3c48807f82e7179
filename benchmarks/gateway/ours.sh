# Sourced by run.sh and peers.sh: builds load, upstream and our server, starts the latter two, and ends them with the shell.
# Wants: customers and keys (how many); gives: url, keys (parted by commas), java and postgres (process ids), commit (ms), and start_ours.
cd "$(dirname "$0")/../.."
work=benchmarks/gateway/target; mkdir -p "$work"
pids=; home=
trap 'kill $pids 2>/dev/null || true; wait 2>/dev/null || true; [ -z "$home" ] || rm -rf "$home"' EXIT INT TERM
value() { sed 's/.*"'"$1"'":"\{0,1\}\([^",}]*\).*/\1/' "$work/server.json"; }
start_ours() {
  (cd benchmarks/gateway && go build -o target/load ./load && go build -o target/upstream ./upstream)
  mvn -o -q -Dquick -pl serve -am test-compile dependency:build-classpath -Dmdep.includeScope=test -Dmdep.regenerateFile=true -Dmdep.outputFile="$PWD/$work/classpath"
  home=$(mktemp -d)
  "$work/upstream" -address 127.0.0.1:9100 & pids="$pids $!"
  : > "$work/server.json"
  printf -- '-cp\n"serve/target/quick/test-classes:serve/target/quick/classes:%s"\n' "$(cat "$work/classpath")" > "$work/java.args"
  "$JAVA_HOME/bin/java" -Xmx512m --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow "@$work/java.args" \
    io.guimo.serve.GatewayServer "$home" http://127.0.0.1:9100/v1 "$customers" "$keys" > "$work/server.json" & java=$!
  pids="$pids $java"
  until grep -q url "$work/server.json"; do kill -0 $java; sleep .2; done
  url=$(value url); keys=$(sed 's/.*"keys":"\([^"]*\)".*/\1/' "$work/server.json"); postgres=$(value postgres); commit=$(value commitMillisP50)
}
