# The folder tree is the architecture: a room of core/ includes only itself and rooms listed above it, a library of the world outside
# is included in its one room only, and the text names nothing of a machine.
cmake_minimum_required(VERSION 3.25)
set(rooms base port event manifest net plugin schedule budget memory tool run alert metrics)
set(faults "")

set(seen "")
foreach(room ${rooms})
  list(APPEND seen ${room})
  file(GLOB_RECURSE files ${ROOT}/core/${room}/*.hpp ${ROOT}/core/${room}/*.cpp)
  foreach(file ${files})
    file(STRINGS ${file} includes REGEX "^#include \"")
    foreach(line ${includes})
      if(line MATCHES "\"core/([a-z]+)/" AND NOT CMAKE_MATCH_1 IN_LIST seen)
        string(APPEND faults "${file}: ${line}: ${room} stands above ${CMAKE_MATCH_1}\n")
      elseif(line MATCHES "\"(host|tests|stores|plugins|providers)/")
        string(APPEND faults "${file}: ${line}: the engine knows ports, not products\n")
      endif()
    endforeach()
  endforeach()
endforeach()

# library pattern|where it may stand
set(walls
  "toml\\+\\+/|core/manifest/,providers/script/"
  "prometheus/|core/metrics/,host/"
  "boost/dll|core/plugin/"
  "curl/curl|core/net/,tests/"
  "sqlite3\\.h|stores/sqlite/,tests/"
  "hnswlib/|stores/sqlite/"
  "hiredis/|stores/redis/,tests/"
  "libpq|stores/postgres/,tests/"
  "CLI/|host/"
  "re2/|core/tool/"
  "valijson/|core/tool/"
  "agentd/abi/|core/plugin/,sdk/,stores/ledger/,stores/sqlite/,stores/postgres/,tests/,host/runner/")
file(GLOB_RECURSE sources ${ROOT}/core/*.[hc]pp ${ROOT}/plugins/*.[hc]pp ${ROOT}/providers/*.[hc]pp ${ROOT}/stores/*.[hc]pp ${ROOT}/host/*.[hc]pp ${ROOT}/tests/*.[hc]pp)
foreach(file ${sources})
  file(RELATIVE_PATH name ${ROOT} ${file})
  file(STRINGS ${file} includes REGEX "^#include [<\"]")
  foreach(line ${includes})
    foreach(wall ${walls})
      string(REGEX MATCH "^([^|]*)\\|(.*)$" ignored "${wall}")
      set(pattern "${CMAKE_MATCH_1}")
      string(REPLACE "," ";" places "${CMAKE_MATCH_2}")
      if(line MATCHES "[<\"]${pattern}")
        set(allowed FALSE)
        foreach(place ${places})
          string(FIND "${name}" "${place}" at)
          if(at EQUAL 0)
            set(allowed TRUE)
          endif()
        endforeach()
        if(NOT allowed)
          string(APPEND faults "${name}: ${line}: belongs to ${places}\n")
        endif()
      endif()
    endforeach()
  endforeach()
endforeach()

if(faults)
  message(FATAL_ERROR "${faults}")
endif()
