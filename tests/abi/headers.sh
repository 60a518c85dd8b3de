#!/bin/sh
# Headers compile without a warning, each alone or all together, and every offset is where it is recorded.
#   headers.sh INCLUDE LAYOUT COMPILER LANGUAGE STANDARD alone|together HEADER...
set -eu
include=$1 layout=$2 compiler=$3 language=$4 standard=$5 how=$6
shift 6
check() {
  "$compiler" -x "$language" "-std=$standard" -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Werror "-I$include" "$@"
}
check "$layout"
if [ "$how" = together ]; then
  printf '#include <%s>\n' "$@" | check -
else
  for header in "$@"; do printf '#include <%s>\n' "$header" | check -; done
fi
