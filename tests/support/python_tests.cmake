# Every NAME_test.py of the calling folder is a test. They start hosts of their own, so they run against the build they stand in.
function(agentd_python_tests label)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.py)
  foreach(file ${files})
    get_filename_component(name ${file} NAME_WE)
    if(name STREQUAL "quickstart_test" AND AGENTD_SANITIZE)
      continue()  # it builds a release of its own: once is enough
    endif()
    add_test(NAME ${label}.${name} COMMAND ${Python3_EXECUTABLE} ${file})
    set_tests_properties(${label}.${name} PROPERTIES LABELS ${label} TIMEOUT 1800 ENVIRONMENT "AGENTD_BUILD=${PROJECT_BINARY_DIR};PYTHONPATH=${PROJECT_SOURCE_DIR}/tests/support;PYTHONDONTWRITEBYTECODE=1")
  endforeach()
endfunction()
