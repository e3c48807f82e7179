#!/bin/bash
# Training samples a second of the photo labels' network: ours against PyTorch's best setting, alternating.
#   benchmarks/training/run.sh PYTHON [ROUNDS]      PYTHON: of a virtual environment with the newest torch in it (pip install torch numpy)
# Prints every window and at the end, for each setting, the median over all its windows, the least and the greatest, by wall time and by processor
# time. The ratio to quote is our best median to Python's best median, on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${1:?path of a python with torch}
rounds=${2:-5}
log=$(mktemp)
classpath=$(mktemp)
mvn -o -q -Dquick -pl train -am test-compile dependency:build-classpath -Dmdep.outputFile="$classpath"
ours() {
  "${JAVA_HOME:?}/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    -cp "train/target/quick/test-classes:train/target/quick/classes:$(cat "$classpath")" io.guimo.train.ResNetSpeed 3 3 "$@" | grep samples
}
theirs() { "$python" benchmarks/training/resnet.py 3 3 "$@" | grep samples; }
for round in $(seq "$rounds"); do
  ours mkl 1
  theirs threads=1 fused channels-last
  ours mkl 2
  OMP_WAIT_POLICY=PASSIVE theirs threads=2 fused channels-last waiting=passive
  ours openblas 2
  theirs threads=2 fused channels-last
  if [ "$round" -le 2 ]; then # slower wherever they were measured: enough to show it
    theirs threads=2 fused
    theirs threads=2 channels-last
    theirs threads=2 compile fused channels-last
    theirs threads=1 compile fused channels-last
  fi
done | tee "$log"
echo
"$python" - "$log" <<'P'
import re, statistics, sys
found = {}
for line in open(sys.argv[1]):
    name, wall, cpu = re.match(r"(.*) parameters=\d+ samples/s=(\d+) samples/cpu-s=(\d+)", line).groups()
    found.setdefault(name, []).append((int(wall), int(cpu)))
best = {}
for name, windows in found.items():
    wall, cpu = ([w[i] for w in windows] for i in (0, 1))
    print(f"{name}: {statistics.median(wall):.0f} samples/s ({min(wall)}–{max(wall)}), {statistics.median(cpu):.0f} a processor second ({min(cpu)}–{max(cpu)})")
    for i, kind in enumerate(("wall", "processor")):
        key = (name.split()[0], kind)
        best[key] = max(best.get(key, 0), statistics.median(w[i] for w in windows))
for kind in ("wall", "processor"):
    print(f"ratio by {kind} time, best to best: {best['java', kind] / best['python', kind]:.3f}")
P
