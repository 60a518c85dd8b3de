/* A ledger: the one durable log that is the truth about every run. In the tree only: this header is not installed, the interface id
 * carries the host's version, a ledger is never isolated, and nothing here is promised to last. So structs have no size and arrays are
 * plain; everything else keeps to base.h.
 *
 * An operation of a ledger is ended by agentd.host.ledger/1 and by nothing else: writes by `committed`, one call per group, so that the
 * engine is woken once per group; claims by `claimed`; reads by `ended`. It has no deadline and no cancel. Operation numbers are the
 * caller's; create and destroy alone are ordinary operations. Meanings are those of core/port/ledger.hpp.
 * Time is the caller's: every write and claim says what time it is. Times are milliseconds since 1970 UTC. */
#ifndef AGENTD_ABI_LEDGER_H
#define AGENTD_ABI_LEDGER_H
#include "base.h"
#include "host.h"
#ifdef __cplusplus
extern "C" {
#endif

#if defined(AGENTD_HOST_VERSION) /* "0.1.0", given by the build to both sides */
#define AGENTD_LEDGER_ID "agentd.ledger/" AGENTD_HOST_VERSION
#endif

/* Run statuses; from 10 on they are final. */
enum {
  AGENTD_RUN_QUEUED = 1,
  AGENTD_RUN_RUNNING = 2,
  AGENTD_RUN_WAITING = 3,
  AGENTD_RUN_COMPLETED = 10,
  AGENTD_RUN_FAILED = 11,
  AGENTD_RUN_TIMED_OUT = 12,
  AGENTD_RUN_CANCELLED = 13,
  AGENTD_RUN_QUARANTINED = 14,
  AGENTD_RUN_SKIPPED = 15,
  AGENTD_RUN_DROPPED = 16,
  AGENTD_RUN_MISSED = 17
};
enum { AGENTD_OVERLAP_QUEUE = 0, AGENTD_OVERLAP_SKIP = 1, AGENTD_OVERLAP_CANCEL_PREVIOUS = 2, AGENTD_OVERLAP_ALLOW = 3, AGENTD_OVERLAP_ASIDE = 4 };
enum { AGENTD_SPEC_SAME = 0, AGENTD_SPEC_CREATED = 1, AGENTD_SPEC_UPDATED = 2, AGENTD_SPEC_SUPERSEDED = 3 };
enum { AGENTD_ADMITTED = 0, AGENTD_DUPLICATE = 1, AGENTD_SKIPPED = 2, AGENTD_FULL = 3 };
enum {
  AGENTD_LEDGER_FINE = 0,
  AGENTD_LEDGER_STALE = 1,
  AGENTD_LEDGER_DISK_FULL = 2,
  AGENTD_LEDGER_UNAVAILABLE = 3,
  AGENTD_LEDGER_CORRUPT = 4,
  AGENTD_LEDGER_NOT_FOUND = 5,
  AGENTD_LEDGER_UNKNOWN_OUTCOME = 6,
  AGENTD_LEDGER_OVER_BUDGET = 7
};

enum { AGENTD_CLAIM_LOST = 0, AGENTD_CLAIM_UNSURE = 1, AGENTD_CLAIM_HELD = 2 };

typedef struct agentd_run_id {
  int64_t position; /* 0: none */
  uint32_t nonce;
  uint32_t reserved;
} agentd_run_id;
AGENTD_ASSERT(sizeof(agentd_run_id) == 16);

typedef struct agentd_ledger_entry {
  agentd_str agent_id, key, payload;
  int64_t due_ms, revision;
  uint32_t nonce;
  int32_t status;
  int32_t overlap;
  uint32_t leaves_record;
  uint32_t queue_size;
  uint32_t max_concurrent;
} agentd_ledger_entry;
AGENTD_ASSERT(sizeof(agentd_ledger_entry) == 88);

typedef struct agentd_ledger_enqueue {
  agentd_op op;
  int64_t now_ms;
  const agentd_ledger_entry* entries;
  uint64_t count;
} agentd_ledger_enqueue;

typedef struct agentd_ledger_record {
  int32_t kind; /* never 0 */
  uint32_t reserved;
  agentd_str payload;
} agentd_ledger_record;

/* Tokens are a count, costs nano-dollars. */
typedef struct agentd_ledger_hold {
  agentd_str account;
  int64_t window, call;
  int64_t most_tokens, most_cost;
  int64_t limit_tokens, limit_cost; /* 0: none */
} agentd_ledger_hold;
AGENTD_ASSERT(sizeof(agentd_ledger_hold) == 64);

typedef struct agentd_ledger_settle {
  int64_t call;
  int64_t tokens, cost; /* -1 and 0: nobody knows, all that was held is spent */
} agentd_ledger_settle;
AGENTD_ASSERT(sizeof(agentd_ledger_settle) == 24);

typedef struct agentd_ledger_raise {
  agentd_str account;
  int64_t window;
  int64_t tokens, cost;
} agentd_ledger_raise;
AGENTD_ASSERT(sizeof(agentd_ledger_raise) == 40);

/* A write that names a lease is STALE once somebody else has taken it. */
typedef struct agentd_ledger_fence {
  agentd_str lease; /* empty: none */
  uint64_t generation;
} agentd_ledger_fence;
AGENTD_ASSERT(sizeof(agentd_ledger_fence) == 24);

typedef struct agentd_ledger_transition {
  agentd_op op;
  int64_t now_ms;
  agentd_run_id run;
  uint64_t generation;
  agentd_str agent_id;
  const agentd_ledger_record* records;
  uint64_t record_count;
  const agentd_ledger_entry* follow_ups;
  uint64_t follow_up_count;
  int32_t next; /* 0: goes on running */
  uint32_t has_state;
  int64_t due_ms;
  agentd_str agent_state, error;
  const agentd_ledger_settle* settles;
  uint64_t settle_count;
  const agentd_ledger_raise* raises;
  uint64_t raise_count;
  const agentd_ledger_hold* holds;
  uint64_t hold_count;
  int64_t in_quarantine; /* not 0: of a run in quarantine, whose latest record this is */
  agentd_ledger_fence fence;
} agentd_ledger_transition;
AGENTD_ASSERT(sizeof(agentd_ledger_transition) == 216);

typedef struct agentd_ledger_spec {
  agentd_str agent_id, content;
  uint32_t is_newest; /* 0: content that was current before the current one changes nothing */
  uint32_t reserved;
} agentd_ledger_spec;
AGENTD_ASSERT(sizeof(agentd_ledger_spec) == 40);

typedef struct agentd_ledger_specs {
  agentd_op op;
  int64_t now_ms;
  const agentd_ledger_spec* specs;
  uint64_t count;
} agentd_ledger_specs;

typedef struct agentd_ledger_cursor {
  agentd_str name;
  int64_t position;
  agentd_ledger_fence fence;
} agentd_ledger_cursor;
AGENTD_ASSERT(sizeof(agentd_ledger_cursor) == 48);

typedef struct agentd_ledger_cursors {
  agentd_op op;
  int64_t now_ms;
  const agentd_ledger_cursor* cursors;
  uint64_t count;
} agentd_ledger_cursors;

/* A step of pruning, or of forgetting one run. */
typedef struct agentd_ledger_remove {
  agentd_op op;
  int64_t before_ms;
  int64_t upto;
  int64_t window_before;
  uint64_t most;
  agentd_run_id run; /* none: prune */
  agentd_ledger_fence fence;
} agentd_ledger_remove;

typedef struct agentd_ledger_filter {
  agentd_op op;
  agentd_str agent_id; /* empty: all */
  int32_t status;      /* 0: all */
  uint32_t reserved;
  int64_t before;
  uint64_t limit;
  agentd_str key_from, key_before; /* not empty: by key */
} agentd_ledger_filter;

/* What is found or done with a ledger's files, as it comes; on the caller's thread. */
typedef struct agentd_ledger_ear {
  void* who;
  void (*found)(void* who, int64_t position, agentd_run_id run, agentd_str text); /* something is wrong; position 0: with the whole */
  void (*told)(void* who, agentd_str text);                                       /* worth saying, and nothing is wrong */
} agentd_ledger_ear;

/* [any] for every slot: none blocks, and what a slot is given is copied before it returns. */
typedef struct agentd_ledger {
  agentd_create_fn create;
  agentd_destroy_fn destroy;
  void (*enqueue)(void* self, const agentd_ledger_enqueue*);
  void (*commit)(void* self, const agentd_ledger_transition*);
  void (*put_specs)(void* self, const agentd_ledger_specs*);
  void (*put_cursors)(void* self, const agentd_ledger_cursors*);
  void (*claim)(void* self, agentd_op, int64_t now_ms, uint64_t n);
  void (*abandon)(void* self, agentd_run_id, uint64_t generation); /* no operation: it holds when it returns */
  void (*serve)(void* self, agentd_str agent_id, int32_t can);     /* no operation: it holds when it returns */
  void (*load)(void* self, agentd_op, agentd_run_id);                                 /* records, the entry first */
  void (*list)(void* self, const agentd_ledger_filter*);                              /* rows, newest first */
  void (*events_after)(void* self, agentd_op, int64_t position, uint64_t limit);      /* records */
  void (*spec)(void* self, agentd_op, agentd_str agent_id, int64_t revision);         /* number: its revision; text: its content; NOT_FOUND */
  void (*agent_state)(void* self, agentd_op, agentd_str agent_id);                    /* text */
  void (*cursors)(void* self, agentd_op, const agentd_str* names, uint64_t count);    /* numbers, in order; 0: none of that name */
  void (*remove)(void* self, const agentd_ledger_remove*);
  void (*backup)(void* self, agentd_op, agentd_str file); /* ended by `ended` */
  /* All four NULL: no other process ever has this ledger open. */
  void (*lease)(void* self, agentd_op, const agentd_str* names, uint64_t count); /* numbers, in order: a generation; 0: another's */
  void (*sessions)(void* self, agentd_op);                                       /* sessions, the oldest first */
  int32_t (*claim_state)(void* self, agentd_run_id, uint64_t generation);        /* no operation: of a claim that was given here, AGENTD_CLAIM_... */
  int32_t (*clocks_agree)(void* self, int64_t now_ms);                           /* no operation. 0: nothing is entered or claimed here until they do */
  /* Without an instance, on the files that one of these settings would open; it blocks. */
  void (*check_files)(agentd_str settings, const agentd_ledger_ear*); /* reads every row, also while another process has the ledger open */
  int32_t (*copy_files)(agentd_str settings, agentd_str file, const agentd_ledger_ear*); /* UNAVAILABLE: another process has the ledger open */
  int32_t (*restore_files)(agentd_str settings, agentd_str file, int64_t now_ms, const agentd_ledger_ear*); /* likewise */
} agentd_ledger;
AGENTD_ASSERT(sizeof(agentd_ledger) == 24 * sizeof(void*));

typedef struct agentd_ledger_admission {
  int32_t kind;
  uint32_t reserved;
  agentd_run_id run;
  const agentd_run_id* cancel;
  uint64_t cancel_count;
} agentd_ledger_admission;

typedef struct agentd_ledger_kept {
  int64_t revision;
  int32_t change;
  uint32_t reserved;
  agentd_str before; /* with AGENTD_SPEC_UPDATED: the content that it takes the place of; with AGENTD_SPEC_SUPERSEDED: the current one */
} agentd_ledger_kept;

typedef struct agentd_ledger_answer {
  agentd_op op;
  int32_t fault;
  uint32_t removal; /* 1: it answers a removal */
  int64_t value; /* of a commit: the position of its first record */
  const agentd_ledger_admission* admissions;
  uint64_t admission_count;
  const agentd_ledger_kept* kept; /* of specs, in order */
  uint64_t kept_count;
  int64_t runs, records; /* of a removal: how many; value: 1 when there is more */
  agentd_str message; /* with a fault: for people */
} agentd_ledger_answer;

typedef struct agentd_ledger_stored {
  int64_t position, at_ms;
  agentd_run_id run;
  agentd_str agent_id;
  int32_t kind;   /* 0: an entry */
  int32_t status; /* of an entry: as it came in */
  agentd_str payload;
} agentd_ledger_stored;

/* What is so now of one agent. */
typedef struct agentd_ledger_standing {
  agentd_str agent_id;
  uint64_t queued, running;
  int64_t run_count, error_count, consecutive_failures;
  int64_t last_run_ms; /* INT64_MIN: never */
  agentd_str last_error;
  uint64_t version; /* grows; one that comes late, behind a newer one, is out of date */
} agentd_ledger_standing;

/* What is so now of one account in one window. */
typedef struct agentd_ledger_account {
  agentd_str name;
  int64_t window;
  int64_t spent_tokens, spent_cost;
  int64_t held_tokens, held_cost;
  int64_t raised_tokens, raised_cost;
} agentd_ledger_account;
AGENTD_ASSERT(sizeof(agentd_ledger_account) == 72);

/* One group, as it became durable. Create reports what was found in one without answers and records, before `created`. */
typedef struct agentd_ledger_group {
  const agentd_ledger_answer* answers; /* in the order the writes came in; each ends its operation */
  uint64_t answer_count;
  const agentd_ledger_stored* records; /* in order of position */
  uint64_t record_count;
  const agentd_ledger_standing* standings; /* of the agents that changed */
  uint64_t standing_count;
  int64_t last_position;
  uint64_t wal_bytes;
  double commit_seconds; /* how long the disk took; measured, never decided upon */
  uint32_t accepting;    /* 0: the disk is full */
  uint32_t due;          /* 1: a claim may find something that it did not find before */
  const agentd_ledger_account* accounts; /* those that changed */
  uint64_t account_count;
  agentd_str epoch;      /* of the ledger's life; empty: as it was told before */
  uint32_t elsewhere;    /* 1: another process wrote it */
  uint32_t reserved;
} agentd_ledger_group;

typedef struct agentd_ledger_claim {
  agentd_run_id run;
  uint64_t generation;
  agentd_str agent_id;
  int64_t revision;
  uint32_t has_records;
  uint32_t deaths; /* workers that died while they held it */
  agentd_str payload;
} agentd_ledger_claim;

typedef struct agentd_ledger_claims {
  const agentd_ledger_claim* runs;
  uint64_t count;
  const agentd_ledger_standing* standings;
  uint64_t standing_count;
  int64_t next_due_ms; /* INT64_MAX: nothing before `due` */
} agentd_ledger_claims;

typedef struct agentd_ledger_row {
  agentd_run_id run;
  agentd_str agent_id, key, payload, last_payload;
  int64_t revision, entered_ms, due_ms, last;
  int32_t status;
  int32_t last_kind;
} agentd_ledger_row;

/* A process that has joined a ledger that is shared. */
typedef struct agentd_ledger_session {
  agentd_str id, host, version;
  int64_t process, since_ms, lease_age_ms, clock_ahead_ms;
  const agentd_str* leases; /* that it holds */
  uint64_t lease_count;
  uint32_t is_this;
  uint32_t clock_is_off; /* 1: by more than is allowed */
} agentd_ledger_session;

/* [any] May come inside the slot that began the operation. */
#define AGENTD_HOST_LEDGER_1 "agentd.host.ledger/1"
typedef struct agentd_host_ledger_v1 {
  void (*committed)(agentd_host*, const agentd_ledger_group*); /* one at a time, in order */
  void (*claimed)(agentd_host*, agentd_op, const agentd_ledger_claims*);
  void (*records)(agentd_host*, agentd_op, const agentd_ledger_stored*, uint64_t count); /* any number of times before `ended` */
  void (*rows)(agentd_host*, agentd_op, const agentd_ledger_row*, uint64_t count);       /* any number of times before `ended` */
  void (*numbers)(agentd_host*, agentd_op, const int64_t*, uint64_t count);              /* any number of times before `ended` */
  void (*ended)(agentd_host*, agentd_op, int32_t fault, int64_t number, agentd_str text); /* text: the answer's, or with a fault the message */
  void (*due)(agentd_host*);                                                              /* a claim may find something that it did not find before */
  void (*sessions)(agentd_host*, agentd_op, const agentd_ledger_session*, uint64_t count); /* any number of times before `ended` */
} agentd_host_ledger_v1;
AGENTD_ASSERT(sizeof(agentd_host_ledger_v1) == 8 * sizeof(void*));

#ifdef __cplusplus
}
#endif
#endif
