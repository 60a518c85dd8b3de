#!/bin/sh
# Compares today's tables with those recorded in tables.abi. Until the SDK is tagged 1.0.0 a difference is reported, afterwards it fails.
#   abidiff.sh FOLDER CHANGELOG          tests/abi/abidiff.sh FOLDER CHANGELOG --record: writes the record anew
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1 changelog=$2
mkdir -p "$folder" && cd "$folder"
cp "$here/probe.c" .
gcc -std=c11 -g -O0 -fPIC -shared "-I$here/../../sdk/include" probe.c -o probe.so
if [ "${3:-}" = --record ]; then
  abidw --no-corpus-path --no-comp-dir-path --no-show-locs --drop-private-types probe.so > "$here/tables.abi"
  exit 0
fi
if abidiff --no-added-syms "$here/tables.abi" probe.so > differences; then
  exit 0
fi
cat differences
if grep -q '^## 1\.0\.0$' "$changelog"; then exit 1; fi
echo "reported only: the interface is not frozen before 1.0.0"
