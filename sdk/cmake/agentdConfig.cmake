include(${CMAKE_CURRENT_LIST_DIR}/agentdTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/AgentdPlugin.cmake)
