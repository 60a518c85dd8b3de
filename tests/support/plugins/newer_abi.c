#include "small.h"
SMALL_PLUGIN("newer_abi", small_create);
AGENTD_EXPORT const agentd_plugin* agentd_plugin_entry_v2(void);
AGENTD_EXPORT const agentd_plugin* agentd_plugin_entry_v2(void) { return &small_descriptor; }
