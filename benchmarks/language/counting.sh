#!/bin/bash
# What counting characters reaches on the last tenth of a text: FILE LENGTH, LENGTH being that of the n-grams of the plain model.
#   benchmarks/language/counting.sh tinyshakespeare.txt 6;  benchmarks/language/counting.sh hongloumeng.txt 4
set -euo pipefail
file=$(realpath "${1:?file}")
cd "$(dirname "$0")/../.."
mvn -o -q -Dquick -pl evaluate -am test-compile
exec "${JAVA_HOME:?}/bin/java" -Xmx1500m -cp evaluate/target/quick/test-classes:evaluate/target/quick/classes \
  io.guimo.evaluate.CountingFigures "$file" "${2:?length}"
