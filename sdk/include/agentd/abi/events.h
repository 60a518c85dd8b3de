/* An event store: gets a copy of every event, in order, at least once. */
#ifndef AGENTD_ABI_EVENTS_H
#define AGENTD_ABI_EVENTS_H
#include "base.h"
#include "host.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct agentd_event {
  uint32_t size;
  uint32_t reserved;
  agentd_str id;          /* sorts in commit order; the key for leaving out what came already */
  agentd_str type;
  agentd_str agent_id, run_id, session_id; /* may be empty */
  int64_t timestamp_ms;   /* since 1970 UTC */
  agentd_str payload;     /* JSON object */
} agentd_event;
AGENTD_ASSERT(sizeof(agentd_event) == 112 && offsetof(agentd_event, id) == 8 && offsetof(agentd_event, timestamp_ms) == 88);

typedef struct agentd_event_batch {
  uint32_t size;
  uint32_t flags;
  agentd_op op;
  int64_t timeout_ms;
  const agentd_event* const* events;
  uint64_t count;         /* at least 1 */
} agentd_event_batch;
AGENTD_ASSERT(sizeof(agentd_event_batch) == 40);

#define AGENTD_EVENTS_1 "agentd.events/1"
typedef struct agentd_events_v1 {
  agentd_create_fn create;
  agentd_destroy_fn destroy;
  void (*append)(void* self, const agentd_event_batch*); /* [any] one batch at a time; finish with AGENTD_OK means all are kept; after any other status the host sends the same batch again */
  agentd_cancel_fn cancel;
} agentd_events_v1;
AGENTD_ASSERT(sizeof(agentd_events_v1) == 4 * sizeof(void*));

#ifdef __cplusplus
}
#endif
#endif
