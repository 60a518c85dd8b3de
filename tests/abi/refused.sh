#!/bin/sh
# What `add` refuses does not compile, and says why in a sentence.
#   refused.sh COMPILER INCLUDE CASE SENTENCE
set -u
here=$(cd "$(dirname "$0")" && pwd)
if output=$("$1" -std=c++17 -fsyntax-only "-I$2" "-D$3" "$here/refused.cpp" 2>&1); then
  echo "$3 compiled"
  exit 1
fi
case $output in *"$4"*) exit 0 ;; esac
echo "refused, but not with: $4"
echo "$output"
exit 1
