/* A memory store: what agents remember between runs. */
#ifndef AGENTD_ABI_MEMORY_H
#define AGENTD_ABI_MEMORY_H
#include "base.h"
#include "host.h"
#ifdef __cplusplus
extern "C" {
#endif

/* A vector says where a text lies in meaning; `space` names what made it, an embedding model. Those of different spaces are never
   compared. The host gives only finite values, not all of them 0, and no more dimensions than this; it gives none to a store without
   the flag AGENTD_VECTORS. */
#define AGENTD_MOST_DIMENSIONS 16384

enum { AGENTD_MEMORY_EPISODIC = 1, AGENTD_MEMORY_LONG_TERM = 2, AGENTD_MEMORY_PROCEDURAL = 3 };

typedef struct agentd_memory_entry {
  uint32_t size;
  int32_t type;
  agentd_str agent_id;
  agentd_str session_id;  /* empty for what belongs to the agent as a whole */
  agentd_str id;          /* unique per agent; putting an id again replaces the entry and keeps its place */
  agentd_str text;        /* what is searched */
  agentd_str json;        /* one JSON object kept as it is: an episodic message, or metadata */
  int64_t created_ms;     /* since 1970 UTC */
  uint64_t position;      /* from the store: order of first put within an agent; 0 in a put */
  double score;           /* from search: larger fits better; by a vector: the cosine similarity */
  const float* vector;    /* in a put: of the text, or NULL; a put without one drops the vector that the id had. NULL from list and search */
  uint64_t dimensions;    /* of the vector; 0: it has none */
  agentd_str space;       /* of the vector; empty: it has none */
} agentd_memory_entry;
AGENTD_ASSERT(sizeof(agentd_memory_entry) == 144 && offsetof(agentd_memory_entry, agent_id) == 8 && offsetof(agentd_memory_entry, created_ms) == 88 &&
              offsetof(agentd_memory_entry, vector) == 112);

typedef struct agentd_memory_query {
  uint32_t size;
  int32_t type;           /* 0: every type */
  agentd_op op;
  int64_t timeout_ms;
  agentd_str agent_id;    /* never empty: agents do not see each other */
  agentd_str session_id;  /* empty: every session */
  agentd_str id;          /* remove: this entry; empty: all that fit the rest */
  agentd_str text;        /* search: words, in any language; not a query language */
  uint64_t before;        /* list: entries with a smaller position; 0: from the newest */
  uint64_t limit;         /* list and search: at most so many; 1 to 10,000 */
  const float* vector;    /* search: the nearest to it among the entries with a vector of `space`, and `text` counts for nothing; or NULL */
  uint64_t dimensions;    /* of the vector; 0: there is none */
  agentd_str space;       /* of the vector; empty: there is none */
} agentd_memory_query;
AGENTD_ASSERT(sizeof(agentd_memory_query) == 136 && offsetof(agentd_memory_query, agent_id) == 24 && offsetof(agentd_memory_query, before) == 88 &&
              offsetof(agentd_memory_query, vector) == 104);

typedef struct agentd_memory_put {
  uint32_t size;
  uint32_t flags;
  agentd_op op;
  int64_t timeout_ms;
  const agentd_memory_entry* const* entries;
  uint64_t count;
} agentd_memory_put;
AGENTD_ASSERT(sizeof(agentd_memory_put) == 40);

#define AGENTD_MEMORY_1 "agentd.memory/1"
typedef struct agentd_memory_v1 {
  agentd_create_fn create;
  agentd_destroy_fn destroy;
  void (*put)(void* self, const agentd_memory_put*);       /* [any] all or none; durable at finish. A vector of other dimensions than the store's of that space, or this put's: AGENTD_TERMINAL */
  void (*list)(void* self, const agentd_memory_query*);    /* [any] newest first, through memories.entries, then finish */
  void (*search)(void* self, const agentd_memory_query*);  /* [any] best first, through memories.entries, then finish. Of other dimensions than the space's: AGENTD_TERMINAL */
  void (*remove)(void* self, const agentd_memory_query*);  /* [any] finishes with the number removed */
  agentd_cancel_fn cancel;
} agentd_memory_v1;
AGENTD_ASSERT(sizeof(agentd_memory_v1) == 7 * sizeof(void*));

#define AGENTD_HOST_MEMORIES_1 "agentd.host.memories/1"
typedef struct agentd_host_memories_v1 {
  int32_t (*entries)(agentd_host*, agentd_op, const agentd_memory_entry* const* entries, uint64_t count); /* any number of times before finish; non-zero: stop */
} agentd_host_memories_v1;

#ifdef __cplusplus
}
#endif
#endif
