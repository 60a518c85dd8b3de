/* What the host offers an instance: services, each with an id of its own and NULL when this host does not have it.
 * All service functions are [any] unless tagged, copy what they are given before they return, and may be called from inside a slot.
 * Callbacks that a plugin hands over are called from a thread of the host, one at a time per handle, and must return quickly. */
#ifndef AGENTD_ABI_HOST_H
#define AGENTD_ABI_HOST_H
#include "base.h"
#ifdef __cplusplus
extern "C" {
#endif

struct agentd_host {
  uint32_t size;
  uint32_t reserved;
  const void* (*service)(agentd_host*, const char* id); /* [any] id is NUL-terminated */
};
AGENTD_ASSERT(sizeof(agentd_host) == 16 && offsetof(agentd_host, service) == 8);

/* How something the host does for an instance ends: exactly once per handle. */
typedef void (*agentd_done_fn)(void* context, const agentd_result* result);
/* A job for a thread. */
typedef void (*agentd_job_fn)(void* context);

/* ---- ops: answering operations */
#define AGENTD_HOST_OPS_1 "agentd.host.ops/1"
typedef struct agentd_host_ops_v1 {
  int32_t (*created)(agentd_host*, agentd_op, void* self);                  /* ends a create that succeeded; self comes back in every later slot */
  int32_t (*finish)(agentd_host*, agentd_op, const agentd_result*);         /* ends any operation, once; may come inside the slot. AGENTD_STALE: it had ended */
  int32_t (*progress)(agentd_host*, agentd_op, agentd_str text);            /* for people who watch; non-zero: the operation is cancelled or over */
  int32_t (*cancelled)(agentd_host*, agentd_op);                            /* non-zero: stop soon and finish */
  int64_t (*remaining_ms)(agentd_host*, agentd_op);                         /* until its deadline; 0 when past or over */
} agentd_host_ops_v1;
AGENTD_ASSERT(sizeof(agentd_host_ops_v1) == 5 * sizeof(void*));

/* ---- work: the plugin's pool of threads that may block */
#define AGENTD_HOST_WORK_1 "agentd.host.work/1"
typedef struct agentd_host_work_v1 {
  /* For the body of an operation: run(context) happens exactly once on a worker; one at a time per instance unless the component is AGENTD_CONCURRENT. op 0: background work of the instance. */
  int32_t (*submit)(agentd_host*, agentd_op, agentd_job_fn run, void* context);
} agentd_host_work_v1;

/* ---- log */
#define AGENTD_HOST_LOG_1 "agentd.host.log/1"
enum { AGENTD_LOG_DEBUG = 0, AGENTD_LOG_INFO = 1, AGENTD_LOG_WARN = 2, AGENTD_LOG_ERROR = 3 };
typedef struct agentd_host_log_v1 {
  void (*write)(agentd_host*, int32_t level, agentd_str text);
} agentd_host_log_v1;

/* ---- timer: on the host's loop, monotonic */
#define AGENTD_HOST_TIMER_1 "agentd.host.timer/1"
typedef struct agentd_host_timer_v1 {
  uint64_t (*after)(agentd_host*, int64_t delay_ms, agentd_job_fn run, void* context); /* a handle, or 0 when refused; run happens once unless cancelled */
  int32_t (*cancel)(agentd_host*, uint64_t timer);                                     /* AGENTD_OK: run will not happen; AGENTD_STALE: it has happened or is happening */
} agentd_host_timer_v1;

/* ---- metrics: exported as agentd_plugin_<component>_<name>, label instance added by the host */
#define AGENTD_HOST_METRICS_1 "agentd.host.metrics/1"
enum { AGENTD_METRIC_COUNTER = 0, AGENTD_METRIC_GAUGE = 1 };
typedef struct agentd_host_metrics_v1 {
  uint64_t (*declare)(agentd_host*, int32_t kind, agentd_str name, agentd_str help); /* a handle, 0 when the name is bad or a bound is reached */
  void (*add)(agentd_host*, uint64_t metric, double value);                          /* counters take non-negative values */
  void (*set)(agentd_host*, uint64_t metric, double value);                          /* gauges only */
} agentd_host_metrics_v1;

/* ---- http: the host's shared client. Pooled, HTTP/2, bounded. */
#define AGENTD_HOST_HTTP_1 "agentd.host.http/1"
typedef struct agentd_header {
  uint32_t size;
  uint32_t reserved;
  agentd_str name, value;
} agentd_header;
AGENTD_ASSERT(sizeof(agentd_header) == 40);
enum {
  AGENTD_HTTP_PUBLIC_ONLY = 1 /* refuse private, loopback, link-local and multicast addresses, checked after name resolution and on every redirect */
};
typedef struct agentd_http_request {
  uint32_t size;
  uint32_t flags;
  agentd_op parent;             /* a live operation: the transfer is aborted when it ends; 0: the instance's own */
  agentd_str method, url;
  const agentd_header* const* headers;
  uint64_t header_count;
  agentd_str body;
  int64_t timeout_ms;           /* whole exchange; <= 0: what is left of the parent's deadline */
  int64_t idle_timeout_ms;      /* no byte for so long; <= 0: none */
  uint64_t max_response_bytes;  /* after decoding; 0: the host's bound (64 MiB). More: AGENTD_TERMINAL */
  int32_t max_redirects;        /* 0: a redirect is an answer like any other */
  int32_t reserved;
} agentd_http_request;
AGENTD_ASSERT(offsetof(agentd_http_request, method) == 16 && offsetof(agentd_http_request, headers) == 48 && offsetof(agentd_http_request, body) == 64 &&
              offsetof(agentd_http_request, timeout_ms) == 80 && sizeof(agentd_http_request) == 112);
typedef struct agentd_http_head {
  uint32_t size;
  int32_t status;               /* 100 to 599, of the last answer */
  const agentd_header* const* headers; /* names in lower case */
  uint64_t header_count;
  agentd_str url;               /* after redirects */
} agentd_http_head;
AGENTD_ASSERT(sizeof(agentd_http_head) == 40);
typedef struct agentd_http_handler {
  uint32_t size;
  uint32_t reserved;
  void* context;
  int32_t (*head)(void* context, const agentd_http_head*); /* once, before any body; non-zero: abort. May be NULL */
  int32_t (*body)(void* context, agentd_str chunk);        /* non-zero: abort. NULL: the host gathers the body and gives it to end */
  agentd_done_fn end;                                      /* exactly once. AGENTD_OK: an answer of any status arrived whole; value is the gathered body, raw bytes */
} agentd_http_handler;
AGENTD_ASSERT(sizeof(agentd_http_handler) == 16 + 3 * sizeof(void*));
typedef struct agentd_host_http_v1 {
  uint64_t (*start)(agentd_host*, const agentd_http_request*, const agentd_http_handler*); /* a handle; end is called for every non-zero handle. 0: refused at once, end is not called */
  void (*pause)(agentd_host*, uint64_t request, int32_t paused);                           /* backpressure: no body calls while paused */
  void (*abort)(agentd_host*, uint64_t request);                                           /* end follows, unless it has come: AGENTD_UNKNOWN_OUTCOME where a POST or PATCH was sent, else AGENTD_CANCELLED */
} agentd_host_http_v1;

/* ---- io: a file descriptor or socket of the plugin's on the host's loop */
#define AGENTD_HOST_IO_1 "agentd.host.io/1"
enum { AGENTD_IO_READ = 1, AGENTD_IO_WRITE = 2 };
typedef struct agentd_host_io_v1 {
  uint64_t (*watch)(agentd_host*, int64_t fd_or_socket, uint32_t events, void (*ready)(void* context, uint32_t events), void* context); /* level-triggered until unwatched; the descriptor stays the plugin's */
  void (*unwatch)(agentd_host*, uint64_t watch);           /* when it returns, ready is not running and will not be called */
} agentd_host_io_v1;

/* ---- process: a child under the host's runner, in a process group of its own, killed with all its descendants when its parent operation, the instance or the host ends */
#define AGENTD_HOST_PROCESS_1 "agentd.host.process/1"
typedef struct agentd_process_spec {
  uint32_t size;
  uint32_t flags;
  agentd_op parent;
  const agentd_str* argv;       /* argv[0] is a path, or a name looked up in PATH */
  uint64_t argc;
  const agentd_str* environment;/* NAME=VALUE, whole */
  uint64_t environment_count;
  agentd_str folder;
  uint64_t memory_bytes;        /* limits; 0: none */
  int64_t cpu_ms;
} agentd_process_spec;
AGENTD_ASSERT(offsetof(agentd_process_spec, argv) == 16 && offsetof(agentd_process_spec, folder) == 48 && sizeof(agentd_process_spec) == 80);
typedef struct agentd_process_handler {
  uint32_t size;
  uint32_t reserved;
  void* context;
  void (*output)(void* context, int32_t fd, agentd_str chunk); /* fd 1 or 2 */
  agentd_done_fn end;                                          /* value: {"exit": n} or {"signal": n} */
} agentd_process_handler;
AGENTD_ASSERT(sizeof(agentd_process_handler) == 16 + 2 * sizeof(void*));
typedef struct agentd_host_process_v1 {
  uint64_t (*spawn)(agentd_host*, const agentd_process_spec*, const agentd_process_handler*);
  int32_t (*write)(agentd_host*, uint64_t process, agentd_str bytes);  /* to its standard input; empty closes it. AGENTD_BUSY: more than 1 MiB waits */
  void (*kill)(agentd_host*, uint64_t process);
} agentd_host_process_v1;

/* ---- kv: durable, per instance, private to it */
#define AGENTD_HOST_KV_1 "agentd.host.kv/1"
typedef struct agentd_host_kv_v1 {
  int32_t (*get)(agentd_host*, agentd_str key, void (*receive)(void* context, agentd_str value), void* context); /* [worker] receive is not called when there is none */
  int32_t (*put)(agentd_host*, agentd_str key, agentd_str value);      /* [worker] durable when it returns AGENTD_OK; at most 1 MiB */
  int32_t (*erase)(agentd_host*, agentd_str key);                      /* [worker] */
} agentd_host_kv_v1;

/* ---- model: complete through the run's provider and within its budget */
#define AGENTD_HOST_MODEL_1 "agentd.host.model/1"
typedef struct agentd_host_model_v1 {
  uint64_t (*complete)(agentd_host*, agentd_op parent, agentd_str request, agentd_done_fn, void* context); /* request: {"messages": [...], "max_output_tokens"?}; value: {"text", "usage"} */
} agentd_host_model_v1;

/* ---- ask: a person decides; the parent's deadline rests meanwhile */
#define AGENTD_HOST_ASK_1 "agentd.host.ask/1"
typedef struct agentd_host_ask_v1 {
  uint64_t (*ask)(agentd_host*, agentd_op parent, agentd_str request, agentd_done_fn, void* context); /* request: {"question", "schema"?}; value: the answer */
} agentd_host_ask_v1;

#ifdef __cplusplus
}
#endif
#endif
