/* Prints when it is loaded. */
#include "small.h"
#include <stdio.h>
SMALL_PLUGIN("chatty", small_create);
__attribute__((constructor)) static void at_load(void) {
  puts("hello from a constructor");
  fflush(stdout);
}
AGENTD_EXPORT const agentd_plugin* AGENTD_ENTRY(void) { return &small_descriptor; }
