#!/bin/bash
# Pre-trains a decoder and judges it beside counting; called again with the same arguments, it goes on where it was.
#   benchmarks/language/pretrain.sh HOME DATA CORPUS NAME ARCHITECTURE TRAIN [THREADS]
# DATA: folder with tinyshakespeare.txt or hongloumeng.txt, plain or as .gz; - : from the public address.
# ARCHITECTURE, TRAIN: JSON, such as '{"kind":"llama","layers":4,"width":128,"heads":2,"context":128,"vocabulary":1024}'
#   '{"learningRate":5e-3,"batch":16,"epochs":12,"weightDecay":0.1,"clipGradientNorm":1.0}'
set -euo pipefail
cd "$(dirname "$0")/../.."
classpath=$(mktemp)
mvn -o -q -Dquick -pl train -am test-compile dependency:build-classpath -Dmdep.outputFile="$classpath"
exec "${JAVA_HOME:?}/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Xmx1500m \
  -cp "train/target/quick/test-classes:train/target/quick/classes:$(cat "$classpath")" io.guimo.train.Pretraining "${@:1:6}" "${7:-1}"
