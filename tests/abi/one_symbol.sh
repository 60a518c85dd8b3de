#!/bin/sh
# A plugin exports its entry function and nothing else.
#   one_symbol.sh FILE|FOLDER...
status=0
for file in $(for path in "$@"; do if [ -d "$path" ]; then find "$path" -name '*.so'; else echo "$path"; fi; done); do
  symbols=$(nm -D --defined-only "$file" | awk '{print $3}')
  if [ "$symbols" != agentd_plugin_entry_v1 ]; then
    echo "$file exports:" $symbols
    status=1
  fi
done
exit $status
