#!/bin/bash
# What the scheduler and the sampler take beside the network: a backend that evaluates nothing, with the vocabulary of a real model.
#   benchmarks/scheduler/run.sh [TOKENS] [VOCABULARY]      256 tokens a sequence, 49152 unless given
set -euo pipefail
cd "$(dirname "$0")/../.."
classpath=$(mktemp)
mvn -o -q -Dquick -pl inference -am test-compile dependency:build-classpath -Dmdep.outputFile="$classpath"
cd inference
exec "${JAVA_HOME:?}/bin/java" -Xmx1g -cp "target/quick/test-classes:target/quick/classes:$(cat "$classpath")" \
    io.guimo.inference.generate.SchedulerBenchmark "$@"
