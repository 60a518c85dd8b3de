#!/bin/sh
# Every piece of C++ that the manuals show compiles as it stands, and the unit test that they show passes.
#   snippets.sh INCLUDE FOLDER COMPILER MANUAL...
set -eu
include=$1 folder=$2 compiler=$3
shift 3
rm -rf "$folder" && mkdir -p "$folder" && cd "$folder"
cat "$@" | awk '/^```cpp$/ {inside = 1; ++n; next} /^```/ {inside = 0} inside {print > ("snippet_" n ".cpp")}'
for snippet in snippet_*.cpp; do
  "$compiler" -std=c++17 -Wall -Wextra -Werror -fsyntax-only "-I$include" "$snippet"
done
test_source=$(grep -l 'fake_host.hpp' snippet_*.cpp)
files_source=$(grep -l 'struct Files' snippet_*.cpp)
"$compiler" -std=c++17 -Wall -Wextra -Werror -pthread "-I$include" "$test_source" "$files_source" -o unit_test
./unit_test
