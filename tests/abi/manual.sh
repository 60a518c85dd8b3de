#!/bin/sh
# The plugin in C that the manual shows, word for word, builds and answers.
#   manual.sh MINI_HOST MANUAL INCLUDE FOLDER COMPILER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mini_host=$1 manual=$2 include=$3 folder=$4 compiler=$5
mkdir -p "$folder" && cd "$folder"
awk '/^```c$/ {inside = 1; next} /^```/ {inside = 0} inside' "$manual" > hello.c
"$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror -fPIC -shared "-I$include" "-Wl,--version-script=$here/../../sdk/cmake/plugin.map" hello.c -o hello.so
sh "$here/one_symbol.sh" hello.so
"$mini_host" ./hello.so hello hello '{}' ./hello.so hello bye '{}' | tee answers
grep -q 'ended 0 "hello"' answers && grep -q 'ended 1 no such tool' answers
