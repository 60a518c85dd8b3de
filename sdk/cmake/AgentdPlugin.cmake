# agentd_add_plugin(NAME source... [NO_INSTALL])
#
# A plugin as the host wants it: a module without a prefix that exports one symbol, binds its own copy of every class, and stays mapped.
# The same function serves the plugins of this project and those of others. It is built where the project says (in this project:
# lib/agentd/plugins of the build folder) and installed to lib/agentd/plugins.
function(agentd_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_INSTALL" "" "")
  add_library(${name} MODULE ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE agentd::sdk)
  set_target_properties(${name} PROPERTIES
    PREFIX "" C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON)
  get_property(folder GLOBAL PROPERTY AGENTD_PLUGIN_FOLDER)
  if(folder)
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${folder})
  endif()

  # Without this GCC marks inline data STB_GNU_UNIQUE, and two plugins with equal class names run each other's code.
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)

  if(WIN32)
    target_link_options(${name} PRIVATE $<$<NOT:$<CXX_COMPILER_ID:MSVC>>:-static>)
  elseif(APPLE)
    target_link_options(${name} PRIVATE -Wl,-exported_symbol,_agentd_plugin_entry_v1)
  else()
    set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
    set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS ${map})
    target_link_options(${name} PRIVATE -Wl,--version-script=${map} -Wl,-z,nodelete)
    get_directory_property(options COMPILE_OPTIONS)
    string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
    if(NOT "${options} ${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}" MATCHES "-fsanitize")
      target_link_options(${name} PRIVATE -Wl,-z,defs)  # a sanitizer's own symbols come from the host
    endif()
  endif()

  if(NOT arg_NO_INSTALL)
    install(TARGETS ${name} LIBRARY DESTINATION lib/agentd/plugins)
  endif()
endfunction()
