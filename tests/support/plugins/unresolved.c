#include "small.h"
int a_function_that_nobody_has(void);
SMALL_PLUGIN("unresolved", small_create);
AGENTD_EXPORT const agentd_plugin* AGENTD_ENTRY(void) { return a_function_that_nobody_has() ? &small_descriptor : 0; }
