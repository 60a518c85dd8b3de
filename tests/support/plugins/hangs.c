#include "small.h"
#include <unistd.h>
SMALL_PLUGIN("hangs", small_create);
__attribute__((constructor)) static void at_load(void) {
  for (;;) pause();
}
AGENTD_EXPORT const agentd_plugin* AGENTD_ENTRY(void) { return &small_descriptor; }
