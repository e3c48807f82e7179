#!/bin/bash
# The photo labels' recipe over several seeds: HOME LEARNING_RATE WEIGHT_DECAY EPOCHS SEEDS (see README.md here).
set -euo pipefail
cd "$(dirname "$0")/../.."
classpath=$(mktemp)
mvn -o -q -Dquick -pl train -am test-compile dependency:build-classpath -Dmdep.outputFile="$classpath"
exec "${JAVA_HOME:?}/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Xmx1500m \
  -cp "train/target/quick/test-classes:train/target/quick/classes:$(cat "$classpath")" io.guimo.train.PhotoLabelsRecipe "$@"
