#!/bin/sh
# Installs the SDK by itself, without the host, builds a project that knows only the installed package, and calls its plugins. What comes with
# the host's own install is the same.
#   outside.sh MINI_HOST BUILD FOLDER CMAKE COMPILER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mini_host=$1 build=$2 folder=$3 cmake=$4 compiler=$5
rm -rf "$folder" && mkdir -p "$folder"
"$cmake" -S "$here/../../sdk" -B "$folder/sdk" "-DCMAKE_CXX_COMPILER=$compiler" > "$folder/said" 2>&1
if grep -i warning "$folder/said"; then exit 1; fi
"$cmake" --install "$folder/sdk" --prefix "$folder/prefix" > /dev/null
"$cmake" --install "$build" --prefix "$folder/whole" --component sdk > /dev/null
diff -r "$folder/prefix" "$folder/whole"
"$cmake" -S "$here/outside" -B "$folder/build" "-DCMAKE_PREFIX_PATH=$folder/prefix" "-DCMAKE_CXX_COMPILER=$compiler" > /dev/null
"$cmake" --build "$folder/build"
sh "$here/one_symbol.sh" "$folder/build/geometry.so" "$folder/build/alpha.so" "$folder/build/beta.so"
sh "$here/call_geometry.sh" "$mini_host" "$folder/build/geometry.so" > "$folder/answers"
diff "$here/geometry.expected" "$folder/answers"

# Two plugins with equal class names, in one process: each runs its own code on its own data.
"$mini_host" "$folder/build/alpha.so" alpha who '{}' "$folder/build/beta.so" beta who '{}' | grep ended > "$folder/twins"
printf '  ended 0 "alpha alpha 1"\n  ended 0 "beta beta 1"\n  ended 0 null\n  ended 0 null\n' | diff - "$folder/twins"
"$cmake" --install "$folder/build" --prefix "$folder/prefix" > /dev/null
test -f "$folder/prefix/lib/agentd/plugins/geometry.so"
test ! -e "$folder/prefix/include/agentd/abi/ledger.h"
