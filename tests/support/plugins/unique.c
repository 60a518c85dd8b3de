/* What GCC makes of an inline variable without -fno-gnu-unique. */
#include "small.h"
__asm__(".data\n.globl shared_counter\n.type shared_counter, @gnu_unique_object\n.size shared_counter, 8\nshared_counter: .quad 0\n.text\n");
SMALL_PLUGIN("unique", small_create);
AGENTD_EXPORT const agentd_plugin* AGENTD_ENTRY(void) { return &small_descriptor; }
