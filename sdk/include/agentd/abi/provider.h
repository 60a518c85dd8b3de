/* A provider: one way to reach models. Messages have the chat-completions shape and stay serialised. */
#ifndef AGENTD_ABI_PROVIDER_H
#define AGENTD_ABI_PROVIDER_H
#include "base.h"
#include "host.h"
#ifdef __cplusplus
extern "C" {
#endif

enum { AGENTD_ROLE_SYSTEM = 0, AGENTD_ROLE_USER = 1, AGENTD_ROLE_ASSISTANT = 2, AGENTD_ROLE_TOOL = 3 };

typedef struct agentd_message {
  uint32_t size;
  int32_t role;
  agentd_str json;        /* the message as one JSON object of the chat-completions format; tool calls of ours carry our call ids */
  agentd_str extra;       /* JSON that the provider named below wrote beside its answer, else empty */
  agentd_str extra_owner; /* component name */
} agentd_message;
AGENTD_ASSERT(sizeof(agentd_message) == 56 && offsetof(agentd_message, json) == 8);

enum { AGENTD_COMPLETION_STREAM = 1 /* somebody listens: emit deltas as they come */ };
typedef struct agentd_completion {
  uint32_t size;
  uint32_t flags;
  agentd_op op;
  int64_t timeout_ms;
  agentd_str call_id;
  agentd_str agent_id, run_id;
  agentd_str model;
  const agentd_message* const* messages;
  uint64_t message_count;
  agentd_str tools;       /* JSON array of {"type":"function","function":{"name","description","parameters"}}, or empty */
  agentd_str options;     /* JSON object: temperature, max_output_tokens, reasoning_effort, output_schema; each may be missing */
} agentd_completion;
AGENTD_ASSERT(sizeof(agentd_completion) == 136 && offsetof(agentd_completion, call_id) == 24 && offsetof(agentd_completion, messages) == 88 &&
              offsetof(agentd_completion, options) == 120);

/* One piece of an answer on its way. */
enum { AGENTD_DELTA_TEXT = 0, AGENTD_DELTA_REASONING = 1, AGENTD_DELTA_TOOL_CALL = 2 };
typedef struct agentd_delta {
  uint32_t size;
  int32_t kind;
  uint64_t index;         /* of the tool call */
  agentd_str name;        /* of the tool, with its first delta */
  agentd_str text;        /* text, or a piece of the arguments */
} agentd_delta;
AGENTD_ASSERT(sizeof(agentd_delta) == 48);

/* Tokens; -1 where the endpoint did not say. input_tokens includes what was read from and written to a cache. */
typedef struct agentd_usage {
  uint32_t size;
  uint32_t reserved;
  int64_t input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens;
} agentd_usage;
AGENTD_ASSERT(sizeof(agentd_usage) == 48);

enum { AGENTD_FINISH_STOP = 0, AGENTD_FINISH_TOOL_CALLS = 1, AGENTD_FINISH_LENGTH = 2, AGENTD_FINISH_FILTER = 3 };
typedef struct agentd_tool_request {
  uint32_t size;
  uint32_t reserved;
  agentd_str id;          /* the model's own; may repeat or be empty */
  agentd_str name;
  agentd_str arguments;   /* as the model wrote them: may be anything */
} agentd_tool_request;
AGENTD_ASSERT(sizeof(agentd_tool_request) == 56);

/* A whole answer: ends the completion. More than 4 MiB of text, extra and tool calls together, or more than 1024 tool calls, fail it
   as AGENTD_FAILURE_ANSWER. */
typedef struct agentd_answer {
  uint32_t size;
  int32_t finish_reason;
  agentd_str text;        /* what the model said, decoded; may be empty */
  agentd_str extra;       /* JSON to be given back with this message, or empty */
  const agentd_tool_request* const* calls;
  uint64_t call_count;
  const agentd_usage* usage; /* NULL: the endpoint said nothing */
  agentd_str model;       /* the model that answered, where the endpoint says; may be empty */
} agentd_answer;
AGENTD_ASSERT(sizeof(agentd_answer) == 80 && offsetof(agentd_answer, calls) == 40 && offsetof(agentd_answer, model) == 64);

/* Texts whose place in meaning is asked for: a vector each. */
typedef struct agentd_embed {
  uint32_t size;
  uint32_t flags;
  agentd_op op;
  int64_t timeout_ms;
  agentd_str model;
  const agentd_str* texts;
  uint64_t text_count;    /* 1 or more */
} agentd_embed;
AGENTD_ASSERT(sizeof(agentd_embed) == 56 && offsetof(agentd_embed, model) == 24 && offsetof(agentd_embed, texts) == 40);

/* The vectors of all of them: ends the embedding. Another count than that of the texts, 0 or more than 16,384 dimensions, a value that
   is not finite or a vector of zeros fail it as AGENTD_FAILURE_ANSWER. */
typedef struct agentd_vectors {
  uint32_t size;
  uint32_t reserved;
  const float* values;    /* count times dimensions of them, in the order of the texts */
  uint64_t dimensions;
  uint64_t count;
  const agentd_usage* usage; /* NULL: the endpoint said nothing */
  agentd_str model;       /* the model that answered, where the endpoint says; may be empty */
} agentd_vectors;
AGENTD_ASSERT(sizeof(agentd_vectors) == 56 && offsetof(agentd_vectors, values) == 8 && offsetof(agentd_vectors, model) == 40);

/* How a completion or an embedding failed, beside its status; the class decides about retry, fallback and the provider's health. */
enum {
  AGENTD_FAILURE_OTHER = 0,
  AGENTD_FAILURE_RATE = 1,        /* 429 */
  AGENTD_FAILURE_CREDENTIALS = 2, /* 401, 403 */
  AGENTD_FAILURE_QUOTA = 3,       /* 402 or an exhausted quota */
  AGENTD_FAILURE_CONTEXT = 4,     /* the prompt is too long */
  AGENTD_FAILURE_SERVER = 5,      /* 408, 409, 5xx, connection */
  AGENTD_FAILURE_ANSWER = 6       /* the answer could not be read */
};

#define AGENTD_PROVIDER_1 "agentd.provider/1"
typedef struct agentd_provider_v1 {
  agentd_create_fn create;
  agentd_destroy_fn destroy;
  void (*complete)(void* self, const agentd_completion*); /* [any] ends with completions.answer, or completions.fail */
  void (*embed)(void* self, const agentd_embed*);         /* [any] ends with completions.embedded, or completions.fail; NULL: it embeds nothing */
  agentd_cancel_fn cancel;
} agentd_provider_v1;
AGENTD_ASSERT(sizeof(agentd_provider_v1) == 5 * sizeof(void*));

#define AGENTD_HOST_COMPLETIONS_1 "agentd.host.completions/1"
typedef struct agentd_host_completions_v1 {
  int32_t (*emit)(agentd_host*, agentd_op, const agentd_delta*);                      /* non-zero: stop and fail as cancelled */
  int32_t (*answer)(agentd_host*, agentd_op, const agentd_answer*);                   /* ends it */
  int32_t (*fail)(agentd_host*, agentd_op, const agentd_result*, int32_t failure);    /* ends it, and an embedding */
  int32_t (*embedded)(agentd_host*, agentd_op, const agentd_vectors*);                /* ends an embedding */
} agentd_host_completions_v1;

#ifdef __cplusplus
}
#endif
#endif
