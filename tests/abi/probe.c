/* Tables are reached through void* only, so a tool that compares binaries does not see them: here each has a symbol of its own. */
#include <agentd/abi/base.h>
#include <agentd/abi/events.h>
#include <agentd/abi/host.h>
#include <agentd/abi/memory.h>
#include <agentd/abi/provider.h>
#include <agentd/abi/task.h>
#include <agentd/abi/toolset.h>

#define PROBE(type) AGENTD_EXPORT type probe_##type

PROBE(agentd_plugin);
PROBE(agentd_component);
PROBE(agentd_result);
PROBE(agentd_host);
PROBE(agentd_toolset_v1);
PROBE(agentd_task_v1);
PROBE(agentd_provider_v1);
PROBE(agentd_memory_v1);
PROBE(agentd_events_v1);
PROBE(agentd_host_ops_v1);
PROBE(agentd_host_work_v1);
PROBE(agentd_host_log_v1);
PROBE(agentd_host_timer_v1);
PROBE(agentd_host_metrics_v1);
PROBE(agentd_host_http_v1);
PROBE(agentd_host_io_v1);
PROBE(agentd_host_process_v1);
PROBE(agentd_host_kv_v1);
PROBE(agentd_host_model_v1);
PROBE(agentd_host_ask_v1);
PROBE(agentd_host_tools_v1);
PROBE(agentd_host_memories_v1);
PROBE(agentd_host_completions_v1);
