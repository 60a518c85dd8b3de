#!/bin/sh
#   call_geometry.sh MINI_HOST PLUGIN: a result, one that shows how numbers are printed, a wrong argument, a result that JSON cannot hold.
host=$1 plugin=$2
$host "$plugin" geometry calculate_area '{"length": 3, "width": 4.5}' \
  "$plugin" geometry calculate_area '{"length": 0.1, "width": 3e0}' \
  "$plugin" geometry calculate_area '{"length": "\ud83d\ude00", "width": 1}' \
  "$plugin" geometry calculate_area '{"length": 1e200, "width": 1e200}'
