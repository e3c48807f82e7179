#!/bin/bash
# Training tokens a second of a decoder: ours against PyTorch's settings, alternating.
#   benchmarks/language/training.sh PYTHON [ROUNDS] [SECONDS]     PYTHON: of a virtual environment with the newest torch in it (pip install torch numpy)
# Prints every window and at the end, for each setting, the median over all its windows, the least and the greatest, by wall time and by processor
# time. The ratio to quote is our best median to Python's best median, on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${1:?path of a python with torch}
rounds=${2:-5}
seconds=${3:-5}
log=$(mktemp)
classpath=$(mktemp)
mvn -o -q -Dquick -pl train -am test-compile dependency:build-classpath -Dmdep.outputFile="$classpath"
ours() {
  OMP_WAIT_POLICY=PASSIVE "${JAVA_HOME:?}/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    -Dorg.bytedeco.javacpp.maxPhysicalBytes=0 \
    -cp "train/target/quick/test-classes:train/target/quick/classes:$(cat "$classpath")" io.guimo.train.DecoderSpeed "$1" "$seconds" 2 "${@:2}" | grep tokens
}
theirs() { "$python" benchmarks/language/decoder.py "$1" "$seconds" 2 "${@:2}" | grep tokens; }
for round in $(seq "$rounds"); do
  for kind in llama gpt2; do
    ours $kind mkl 1
    theirs $kind threads=1 fused
    ours $kind mkl 2
    OMP_WAIT_POLICY=PASSIVE theirs $kind threads=2 fused waiting=passive
    if [ "$round" -le 2 ]; then
      theirs $kind threads=1 compile fused
      theirs $kind threads=2 compile fused
      theirs $kind threads=2 fused
    fi
  done
done | tee "$log"
echo
"$python" - "$log" <<'P'
import re, statistics, sys
found = {}
for line in open(sys.argv[1]):
    name, wall, cpu = re.match(r"(.*) parameters=\d+ tokens/s=(\d+) tokens/cpu-s=(\d+)", line).groups()
    found.setdefault(name, []).append((int(wall), int(cpu)))
best = {}
for name, windows in found.items():
    wall, cpu = ([w[i] for w in windows] for i in (0, 1))
    print(f"{name}: {statistics.median(wall):.0f} tokens/s ({min(wall)}–{max(wall)}), {statistics.median(cpu):.0f} a processor second ({min(cpu)}–{max(cpu)})")
    for i, time in enumerate(("wall", "processor")):
        key = (*name.split()[:2], time)
        best[key] = max(best.get(key, 0), statistics.median(w[i] for w in windows))
for kind in ("llama", "gpt2"):
    for time in ("wall", "processor"):
        print(f"{kind}, ratio by {time} time, best to best: {best['java', kind, time] / best['python', kind, time]:.3f}")
P
