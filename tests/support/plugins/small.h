/* The least a plugin can be, for those that misbehave in one way. */
#include <agentd/abi/toolset.h>

#define STR(s) {s, sizeof(s) - 1}

static void small_finish(agentd_host* host, agentd_op op, int32_t status, const char* text, uint64_t size) {
  const agentd_host_ops_v1* ops = (const agentd_host_ops_v1*)host->service(host, AGENTD_HOST_OPS_1);
  agentd_result r;
  r.size = sizeof r;
  r.status = status;
  r.value.data = text;
  r.value.size = size;
  r.retry_after_ms = -1;
  ops->finish(host, op, &r);
}

static void small_create(agentd_host* host, agentd_op op, agentd_str settings) {
  const agentd_host_ops_v1* ops = (const agentd_host_ops_v1*)host->service(host, AGENTD_HOST_OPS_1);
  (void)settings;
  ops->created(host, op, host);
}
static void small_destroy(void* self, agentd_op op) { small_finish((agentd_host*)self, op, AGENTD_OK, "", 0); }
static void small_start(void* self, const agentd_call* call) { small_finish((agentd_host*)self, call->op, AGENTD_OK, call->arguments.data, call->arguments.size); }

/* SMALL_PLUGIN("name", create): one toolset of that name. */
#define SMALL_PLUGIN(plugin_name, create)                                                                            \
  static const agentd_toolset_v1 small_table = {create, small_destroy, 0, small_start, 0, 0};                        \
  static const agentd_component small_component = {sizeof(agentd_component), 0, STR(AGENTD_TOOLSET_1), STR(plugin_name), \
                                                   STR("A test"), STR("{\"type\":\"object\"}"), &small_table};       \
  static const agentd_component* const small_components[] = {&small_component};                                      \
  static const agentd_plugin small_descriptor = {sizeof(agentd_plugin), 1, STR(plugin_name), STR("1.2.3"), STR("MIT"), small_components, 0, 0}
