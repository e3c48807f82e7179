#!/bin/bash
# The till alone: reserve and settle, and usage that is only recorded, each durable when it is acknowledged; beside one durable commit of the disk.
#   benchmarks/till/run.sh [SECONDS] [WALLETS] [LANES] [FOLDER]      10, 100, 1, commerce/target/till-benchmark unless given
set -euo pipefail
cd "$(dirname "$0")/../.."
classpath=$(mktemp)
mvn -o -q -Dquick -pl commerce -am test-compile dependency:build-classpath -Dmdep.outputFile="$classpath"
cd commerce
exec "${JAVA_HOME:?}/bin/java" -Xmx1g -cp "target/quick/test-classes:target/quick/classes:$(cat "$classpath")" io.guimo.commerce.TillBenchmark "$@"
