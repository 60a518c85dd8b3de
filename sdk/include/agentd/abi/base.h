/* The shapes that every interface shares. C11; also valid C++17.
 *
 * Rules that hold for every header in this folder:
 *  - Strings and arrays are borrowed: a pointer is valid until the function that *receives* it returns. Copy what you keep.
 *  - Nothing allocated on one side is freed on the other.
 *  - No slot of a table returns data. It returns at once and answers by its operation, through agentd.host.ops/1.
 *  - No exception, longjmp or signal leaves a function of either side.
 *  - Tables are frozen for ever by their interface id. Data structs grow at the tail only and say their size first: read a member
 *    behind the first version's end only after comparing `size`. Arrays of structs are arrays of pointers.
 *  - Thread tags: [serial] one call at a time per instance; [any] any thread, at any time, also several at once; [worker] a thread
 *    that may block. */
#ifndef AGENTD_ABI_BASE_H
#define AGENTD_ABI_BASE_H
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define AGENTD_EXPORT __declspec(dllexport)
#else
#define AGENTD_EXPORT __attribute__((visibility("default")))
#endif
#if defined(__cplusplus)
#define AGENTD_ASSERT(e) static_assert(e, #e)
extern "C" {
#else
#define AGENTD_ASSERT(e) _Static_assert(e, #e)
#endif

/* UTF-8, not NUL-terminated; data may be NULL when size is 0. */
typedef struct agentd_str {
  const char* data;
  uint64_t size;
} agentd_str;
AGENTD_ASSERT(sizeof(agentd_str) == 16 && offsetof(agentd_str, size) == 8);

/* One operation in flight: an index and a generation, never a pointer. 0 is none. */
typedef uint64_t agentd_op;

/* Statuses, as int32_t at the border. */
enum {
  AGENTD_OK = 0,
  AGENTD_TERMINAL = 1,        /* it failed, and trying again would fail again */
  AGENTD_RETRYABLE = 2,       /* it did not happen; trying again may help */
  AGENTD_UNKNOWN_OUTCOME = 3, /* it may or may not have happened */
  AGENTD_CANCELLED = 4,       /* it did not happen because somebody asked it to stop */
  AGENTD_STALE = 5,           /* from the host: this operation has ended already */
  AGENTD_BUSY = 6,            /* from the host: a bound is reached, nothing was taken */
  AGENTD_DENIED = 7           /* from the host: not allowed here */
};

/* How an operation ended. */
typedef struct agentd_result {
  uint32_t size;
  int32_t status;
  agentd_str value;       /* one JSON value when status is AGENTD_OK (empty means null), else a message for people */
  int64_t retry_after_ms; /* with AGENTD_RETRYABLE: not sooner than this; -1: not known */
} agentd_result;
AGENTD_ASSERT(sizeof(agentd_result) == 32 && offsetof(agentd_result, value) == 8 && offsetof(agentd_result, retry_after_ms) == 24);

/* The host as one instance sees it. Valid from create until the finish of destroy; see host.h. */
typedef struct agentd_host agentd_host;

/* Component flags. */
enum {
  AGENTD_CONCURRENT = 1, /* bodies may run several at once in one instance; without it the host runs them one at a time */
  AGENTD_DYNAMIC = 2,    /* a toolset whose tools are known only after it has connected */
  AGENTD_VECTORS = 4     /* a memory store that keeps vectors and searches by them; without it none are sent */
};

/* What a plugin offers under one name of the configuration. */
typedef struct agentd_component {
  uint32_t size;
  uint32_t flags;
  agentd_str interface_id;    /* "agentd.toolset/1" */
  agentd_str name;            /* [a-z0-9][a-z0-9_]{0,63} */
  agentd_str summary;         /* one sentence */
  agentd_str settings_schema; /* JSON Schema of the settings; a secret is marked "writeOnly": true, a path "format": "path" */
  const void* table;          /* the interface's table, static for the life of the process */
} agentd_component;
AGENTD_ASSERT(sizeof(agentd_component) == 80 && offsetof(agentd_component, interface_id) == 8 && offsetof(agentd_component, name) == 24 &&
              offsetof(agentd_component, summary) == 40 && offsetof(agentd_component, settings_schema) == 56 && offsetof(agentd_component, table) == 72);

/* What the entry function returns: static for the life of the process. */
typedef struct agentd_plugin {
  uint32_t size;
  uint32_t component_count;
  agentd_str name, version, license;
  const agentd_component* const* components;
  const agentd_str* requires_services; /* host service ids without which nothing here can be created */
  uint64_t requires_count;
} agentd_plugin;
AGENTD_ASSERT(sizeof(agentd_plugin) == 80 && offsetof(agentd_plugin, name) == 8 && offsetof(agentd_plugin, components) == 56 &&
              offsetof(agentd_plugin, requires_services) == 64 && offsetof(agentd_plugin, requires_count) == 72);

/* The one symbol a plugin exports. [any] NULL: this plugin cannot be used on this machine. */
typedef const agentd_plugin* (*agentd_plugin_entry)(void);
#define AGENTD_ENTRY agentd_plugin_entry_v1
#define AGENTD_ENTRY_NAME "agentd_plugin_entry_v1"

/* The two slots every kind begins with.
 * create: [worker] settings is a JSON object that fits settings_schema. Answers with ops.created, or with ops.finish and an error.
 * destroy: [worker] no operation of this instance is open. Answers with ops.finish; nothing of the instance is used afterwards.
 * cancel, in every kind: [any] advisory; the operation still owes its finish. */
typedef void (*agentd_create_fn)(agentd_host* host, agentd_op op, agentd_str settings);
typedef void (*agentd_destroy_fn)(void* self, agentd_op op);
typedef void (*agentd_cancel_fn)(void* self, agentd_op op);

#ifdef __cplusplus
}
#endif
#endif
