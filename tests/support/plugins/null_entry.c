#include "small.h"
AGENTD_EXPORT const agentd_plugin* AGENTD_ENTRY(void) {
  (void)small_create, (void)small_destroy, (void)small_start;
  return 0;
}
