#include "small.h"
SMALL_PLUGIN("Bad Name", small_create);
AGENTD_EXPORT const agentd_plugin* AGENTD_ENTRY(void) { return &small_descriptor; }
