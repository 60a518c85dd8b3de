#include "small.h"
#include <unistd.h>
SMALL_PLUGIN("leaves", small_create);
__attribute__((constructor)) static void at_load(void) { _exit(0); }
AGENTD_EXPORT const agentd_plugin* AGENTD_ENTRY(void) { return &small_descriptor; }
