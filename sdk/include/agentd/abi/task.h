/* A native task: what an agent does without a model, or what decides whether a slot is worth a run. */
#ifndef AGENTD_ABI_TASK_H
#define AGENTD_ABI_TASK_H
#include "base.h"
#include "host.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct agentd_task_run {
  uint32_t size;
  uint32_t flags;
  agentd_op op;
  int64_t timeout_ms;
  agentd_str call_id;  /* the same when the task is run again for the same attempt */
  agentd_str agent_id, run_id;
  agentd_str params;   /* JSON object: the manifest's params, merged with those of the run */
  agentd_str state;    /* JSON: what the last successful run left, "null" at first */
} agentd_task_run;
AGENTD_ASSERT(sizeof(agentd_task_run) == 104 && offsetof(agentd_task_run, call_id) == 24 && offsetof(agentd_task_run, state) == 88);

#define AGENTD_TASK_1 "agentd.task/1"
typedef struct agentd_task_v1 {
  agentd_create_fn create;
  agentd_destroy_fn destroy;
  void (*start)(void* self, const agentd_task_run*); /* [any] answers {"result"?: JSON, "proceed"?: boolean, "params"?: object, "state"?: JSON}: result ends a task; proceed and params answer a gate; state is kept when the run succeeds */
  agentd_cancel_fn cancel;
} agentd_task_v1;
AGENTD_ASSERT(sizeof(agentd_task_v1) == 4 * sizeof(void*));

#ifdef __cplusplus
}
#endif
#endif
