#!/bin/sh
# Builds the geometry plugin with one toolchain and calls it from the C mini-host: every toolchain answers with the same bytes.
#   build_and_call.sh MINI_HOST INCLUDE FOLDER COMPILER... : the compiler with its flags
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mini_host=$1 include=$2 folder=$3
shift 3
rm -rf "$folder" && mkdir -p "$folder"
"$@" -Wall -Wextra -Wpedantic -Werror -fPIC -shared -fvisibility=hidden "-I$include" "-Wl,--version-script=$here/../../sdk/cmake/plugin.map" \
  "$here/outside/geometry.cpp" -o "$folder/geometry.so"
sh "$here/one_symbol.sh" "$folder/geometry.so"
sh "$here/call_geometry.sh" "$mini_host" "$folder/geometry.so" > "$folder/answers"
diff "$here/geometry.expected" "$folder/answers"
