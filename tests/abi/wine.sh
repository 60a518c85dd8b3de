#!/bin/sh
# The SDK and a plugin for Windows, cross-compiled and called there.
#   wine.sh WINE COMPILER_PREFIX INCLUDE FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
wine=$1 prefix=$2 include=$3 folder=$4
rm -rf "$folder" && mkdir -p "$folder" && cd "$folder"
"$prefix-g++-posix" -std=c++17 -Wall -Wextra -Werror -shared -static "-I$include" "$here/outside/geometry.cpp" -o geometry.dll
"$prefix-gcc-posix" -std=c11 -Wall -Wextra -Werror -static "-I$include" "$here/mini_host.c" -o mini_host.exe
export WINEPREFIX="$folder/prefix" WINEDEBUG=-all
unset DISPLAY
sh "$here/call_geometry.sh" "$wine mini_host.exe" geometry.dll | tr -d '\r' > answers
diff "$here/geometry.expected" answers
