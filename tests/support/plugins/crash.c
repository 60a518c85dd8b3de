#include "small.h"
#include <stdio.h>
#include <stdlib.h>
SMALL_PLUGIN("crash", small_create);
__attribute__((constructor)) static void at_load(void) {
  fputs("about to abort\n", stderr);
  abort();
}
AGENTD_EXPORT const agentd_plugin* AGENTD_ENTRY(void) { return &small_descriptor; }
