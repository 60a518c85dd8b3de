#!/bin/sh
# A starter builds against the installed SDK as it is, without a warning, and its own test passes.
#   starter.sh BUILD FOLDER CMAKE COMPILER KIND
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1 folder=$2 cmake=$3 compiler=$4 kind=$5
rm -rf "$folder" && mkdir -p "$folder"
"$cmake" --install "$build" --prefix "$folder/prefix" --component sdk > /dev/null
cp -r "$folder/prefix/share/agentd/template/$kind" "$folder/source"
"$cmake" -S "$folder/source" -B "$folder/build" "-DCMAKE_PREFIX_PATH=$folder/prefix" "-DCMAKE_CXX_COMPILER=$compiler" \
  "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror" > /dev/null
"$cmake" --build "$folder/build"
sh "$here/one_symbol.sh" "$folder/build/my_$kind.so"
"$folder/build/my_${kind}_test"
