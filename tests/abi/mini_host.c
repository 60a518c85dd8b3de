/* The smallest host there can be: C, one thread, no engine. It shows what the ABI alone promises.
 *
 *   mini_host PLUGIN COMPONENT TOOL ARGUMENTS [PLUGIN COMPONENT TOOL ARGUMENTS]...
 *
 * All plugins are loaded and created before the first call, so that they live in one process. Prints what was published and how each
 * call ended; exits with 1 when something could not be loaded or created. */
#include <agentd/abi/toolset.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

enum { kMaxCalls = 16 };

static void* created_self;
static int finished;

static int text_equals(agentd_str text, const char* other) { return text.size == strlen(other) && memcmp(text.data, other, text.size) == 0; }
static agentd_str text_of(const char* s) {
  agentd_str text = {s, strlen(s)};
  return text;
}

static int32_t created(agentd_host* host, agentd_op op, void* self) {
  (void)host, (void)op;
  created_self = self;
  finished = 1;
  return AGENTD_OK;
}
static int32_t finish(agentd_host* host, agentd_op op, const agentd_result* result) {
  (void)host, (void)op;
  if (finished) return AGENTD_STALE;
  finished = 1;
  printf("  ended %d %.*s\n", (int)result->status, (int)result->value.size, result->value.data);
  return AGENTD_OK;
}
static int32_t progress(agentd_host* host, agentd_op op, agentd_str text) { return (void)host, (void)op, (void)text, AGENTD_OK; }
static int32_t cancelled(agentd_host* host, agentd_op op) { return (void)host, (void)op, 0; }
static int64_t remaining_ms(agentd_host* host, agentd_op op) { return (void)host, (void)op, 1000; }
static int32_t submit(agentd_host* host, agentd_op op, agentd_job_fn run, void* context) {
  (void)host, (void)op;
  run(context);
  return AGENTD_OK;
}
static int32_t publish(agentd_host* host, const agentd_tool* const* tools, uint64_t count) {
  (void)host;
  for (uint64_t i = 0; i < count; ++i) {
    printf("  tool %.*s effect %d %.*s\n", (int)tools[i]->name.size, tools[i]->name.data, (int)tools[i]->effect, (int)tools[i]->schema.size,
           tools[i]->schema.data);
  }
  return AGENTD_OK;
}

static const void* service(agentd_host* host, const char* id) {
  static const agentd_host_ops_v1 ops = {created, finish, progress, cancelled, remaining_ms};
  static const agentd_host_work_v1 work = {submit};
  static const agentd_host_tools_v1 tools = {publish};
  (void)host;
  if (strcmp(id, AGENTD_HOST_OPS_1) == 0) return &ops;
  if (strcmp(id, AGENTD_HOST_WORK_1) == 0) return &work;
  if (strcmp(id, AGENTD_HOST_TOOLS_1) == 0) return &tools;
  return NULL;
}

static agentd_plugin_entry load(const char* path) {
  agentd_plugin_entry entry = NULL;
#if defined(_WIN32)
  HMODULE library = LoadLibraryA(path);
  FARPROC found = library ? GetProcAddress(library, AGENTD_ENTRY_NAME) : NULL;
#else
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  void* found = library ? dlsym(library, AGENTD_ENTRY_NAME) : NULL;
  if (!found) fprintf(stderr, "%s\n", dlerror());
#endif
  memcpy(&entry, &found, sizeof entry);
  return entry;
}

static const agentd_component* component_of(const agentd_plugin* plugin, const char* name) {
  for (uint32_t i = 0; i < plugin->component_count; ++i) {
    if (text_equals(plugin->components[i]->name, name)) return plugin->components[i];
  }
  return NULL;
}

typedef struct loaded {
  const agentd_toolset_v1* table;
  void* self;
} loaded;

static int open_component(agentd_host* host, const char* path, const char* name, loaded* out) {
  agentd_plugin_entry entry = load(path);
  const agentd_plugin* plugin = entry ? entry() : NULL;
  const agentd_component* component = plugin ? component_of(plugin, name) : NULL;
  if (!component || !text_equals(component->interface_id, AGENTD_TOOLSET_1)) {
    fprintf(stderr, "%s: no toolset named %s\n", path, name);
    return 0;
  }
  printf("%s\n", name);
  out->table = (const agentd_toolset_v1*)component->table;
  created_self = NULL;
  finished = 0;
  out->table->create(host, 1, text_of("{}"));
  out->self = created_self;
  return created_self != NULL;
}

int main(int argc, char** argv) {
  agentd_host host = {sizeof host, 0, service};
  loaded all[kMaxCalls];
  const int calls = (argc - 1) / 4;
  if (calls < 1 || calls > kMaxCalls || argc != 1 + 4 * calls) return 2;
  for (int i = 0; i < calls; ++i) {
    if (!open_component(&host, argv[1 + 4 * i], argv[2 + 4 * i], &all[i])) return 1;
  }
  for (int i = 0; i < calls; ++i) {
    agentd_call call = {0};
    call.size = sizeof call;
    call.op = 2;
    call.timeout_ms = 1000;
    call.call_id = text_of("run/0/0");
    call.tool = text_of(argv[3 + 4 * i]);
    call.arguments = text_of(argv[4 + 4 * i]);
    printf("%s.%s %s\n", argv[2 + 4 * i], argv[3 + 4 * i], argv[4 + 4 * i]);
    finished = 0;
    all[i].table->start(all[i].self, &call);
    if (!finished) return 1;
  }
  for (int i = 0; i < calls; ++i) {
    finished = 0;
    all[i].table->destroy(all[i].self, 3);
    if (!finished) return 1;
  }
  return 0;
}
