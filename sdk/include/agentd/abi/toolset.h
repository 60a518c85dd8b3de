/* A toolset: named functions that a model may call. */
#ifndef AGENTD_ABI_TOOLSET_H
#define AGENTD_ABI_TOOLSET_H
#include "base.h"
#include "host.h"
#ifdef __cplusplus
extern "C" {
#endif

/* What a call does to the world; decides what happens after a crash (see ABI.md, Effects). */
enum { AGENTD_EFFECT_PURE = 0, AGENTD_EFFECT_IDEMPOTENT = 1, AGENTD_EFFECT_ONCE = 2 };
enum { AGENTD_TOOL_RECONCILES = 1 /* reconcile can tell what became of a call */ };

typedef struct agentd_tool {
  uint32_t size;
  uint32_t flags;
  int32_t effect;
  int32_t reserved;
  agentd_str name;    /* [A-Za-z0-9_-]{1,64}, unique in the toolset */
  agentd_str summary; /* for the model */
  agentd_str schema;  /* JSON Schema of the arguments, an object */
} agentd_tool;
AGENTD_ASSERT(sizeof(agentd_tool) == 64 && offsetof(agentd_tool, name) == 16 && offsetof(agentd_tool, schema) == 48);

typedef struct agentd_call {
  uint32_t size;
  uint32_t flags;
  agentd_op op;
  int64_t timeout_ms;   /* left now; no clock crosses the border */
  uint64_t scope;       /* what bind answered; 0: the instance's own settings */
  agentd_str call_id;   /* the same when the call is made again */
  agentd_str agent_id, run_id;
  agentd_str tool;
  agentd_str arguments; /* one valid UTF-8 JSON object, depth <= 64, no duplicate keys, fitting the tool's schema */
} agentd_call;
AGENTD_ASSERT(sizeof(agentd_call) == 112 && offsetof(agentd_call, call_id) == 32 && offsetof(agentd_call, arguments) == 96);

#define AGENTD_TOOLSET_1 "agentd.toolset/1"
typedef struct agentd_toolset_v1 {
  agentd_create_fn create;
  agentd_destroy_fn destroy;
  void (*bind)(void* self, agentd_op, agentd_str settings);  /* [any] narrows the instance for some agents; answers with a number > 0, the scope, or an error that names what would be widened. NULL: no narrowing */
  void (*start)(void* self, const agentd_call*);             /* [any] owes finish */
  void (*reconcile)(void* self, const agentd_call*);         /* [any] after a crash: AGENTD_OK and its result (it happened), AGENTD_RETRYABLE (it did not), anything else (nobody knows). NULL: never asked */
  agentd_cancel_fn cancel;                                   /* may be NULL */
} agentd_toolset_v1;
AGENTD_ASSERT(sizeof(agentd_toolset_v1) == 6 * sizeof(void*));

#define AGENTD_HOST_TOOLS_1 "agentd.host.tools/1"
typedef struct agentd_host_tools_v1 {
  int32_t (*publish)(agentd_host*, const agentd_tool* const* tools, uint64_t count); /* [any] the whole list, at create and whenever it changes; a run keeps the list it started with */
} agentd_host_tools_v1;

#ifdef __cplusplus
}
#endif
#endif
