// Lets an exception out of create, and another out of start.
#include <stdexcept>

#include "small.h"
static void create(agentd_host* host, agentd_op op, agentd_str settings) {
  if (settings.size > 2) throw std::runtime_error("settings like these");
  small_create(host, op, settings);
}
static void start(void*, const agentd_call*) { throw std::runtime_error("no tools here"); }
static const agentd_toolset_v1 table = {create, small_destroy, nullptr, start, nullptr, nullptr};
static const agentd_component component = {sizeof(agentd_component), 0, STR(AGENTD_TOOLSET_1), STR("throws"), STR("A test"), STR("{}"), &table};
static const agentd_component* const components[] = {&component};
static const agentd_plugin descriptor = {sizeof(agentd_plugin), 1, STR("throws"), STR("1"), STR("MIT"), components, nullptr, 0};
extern "C" AGENTD_EXPORT const agentd_plugin* AGENTD_ENTRY() {
  (void)small_start;
  return &descriptor;
}
