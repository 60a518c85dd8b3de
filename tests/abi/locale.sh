#!/bin/sh
#   locale.sh INCLUDE FOLDER COMPILER: makes a German locale of its own and runs locale.cpp in it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
include=$1 folder=$2 compiler=$3
rm -rf "$folder" && mkdir -p "$folder"
localedef -i de_DE -f UTF-8 "$folder/de_DE.UTF-8"
"$compiler" -std=c++17 -Wall -Wextra -Werror "-I$include" "$here/locale.cpp" -o "$folder/locale"
LOCPATH=$folder "$folder/locale"
