/* Does everything right: echoes its arguments. */
#include "small.h"
SMALL_PLUGIN("good", small_create);
AGENTD_EXPORT const agentd_plugin* AGENTD_ENTRY(void) { return &small_descriptor; }
