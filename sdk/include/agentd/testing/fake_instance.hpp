// The host's side of one instance, in memory. See fake_host.hpp for what a test uses.
#pragma once
#include <agentd/sdk/events.hpp>
#include <agentd/sdk/http.hpp>
#include <agentd/sdk/io.hpp>
#include <agentd/sdk/memory.hpp>
#include <agentd/sdk/provider.hpp>
#include <agentd/sdk/task.hpp>
#include <agentd/sdk/toolset.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace agentd::testing {

struct Delta {
  int32_t kind = 0;
  uint64_t index = 0;
  std::string name, text;
};

// How an operation ended, and what came before.
struct Ended {
  int32_t status = AGENTD_OK;
  std::string value;  // JSON, or a message when status is not AGENTD_OK
  int64_t retry_after_ms = -1;
  std::vector<std::string> progress;
  std::vector<sdk::MemoryEntry> entries;    // of a memory store's list and search
  std::vector<Delta> deltas;                // of a provider
  std::optional<sdk::ModelAnswer> answer;   // of a provider
  std::optional<sdk::Vectors> vectors;      // of a provider that embeds
  sdk::ModelFailure failure = sdk::ModelFailure::other;
  bool ok() const { return status == AGENTD_OK; }
};

struct PublishedTool {
  std::string name, summary, schema;
  int32_t effect = 0;
  bool reconciles = false;
};

struct FakeRequest {
  agentd_op parent = 0;
  sdk::HttpHeaders headers;
  std::string method, url, body;
  bool public_only = false;
  uint64_t max_response_bytes = 0;
};
struct FakeAnswer {
  int status = 200;
  std::string body = {};
  sdk::HttpHeaders headers = {};
  std::size_t chunk = 0;            // > 0: the body comes in pieces of this size
  int32_t error = AGENTD_OK;        // else: no answer comes, the request ends like this with `body` as its message
  bool hangs = false;               // no answer comes until the request is aborted, or its operation is over
};

// Threads that run what they are given, in order where there is one of them.
class FakeThreads {
 public:
  explicit FakeThreads(int count) {
    for (int i = 0; i < count; ++i) threads_.emplace_back([this] { run(); });
  }
  ~FakeThreads() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  void post(std::function<void()> f) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(f));
    }
    changed_.notify_one();
  }

 private:
  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const auto f = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      f();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

// What the instances of one FakeHost share, and what a test sets before and reads after. Fields that threads write are behind the lock.
struct FakeWorld {
  std::set<std::string> absent;                             // ids of services that this host does not have
  std::function<FakeAnswer(const FakeRequest&)> http;       // called on the loop's thread
  mutable std::mutex mutex;
  std::vector<std::string> logs;
  std::vector<FakeRequest> requests;
  std::map<std::string, std::string> kv;
  std::map<std::string, double> metrics;
  int stale_finishes = 0;
};

struct FakeInstance : agentd_host {
  FakeInstance(FakeWorld& its_world, bool concurrent) : agentd_host{sizeof(agentd_host), 0, &find}, world(its_world), workers(concurrent ? 4 : 1) {}

  agentd_op open(std::chrono::milliseconds timeout) {
    const std::lock_guard lock(mutex);
    const agentd_op op = next++;
    ops[op].deadline = std::chrono::steady_clock::now() + timeout;
    return op;
  }
  Ended wait(agentd_op op) {
    std::unique_lock lock(mutex);
    const bool ended = changed.wait_for(lock, std::chrono::seconds(20), [&] { return ops[op].over; });
    if (!ended) throw std::runtime_error("the operation did not end within 20 s");
    Ended result = std::move(ops[op].ended);
    ops.erase(op);
    return result;
  }
  // Ends the operation from the host's side, as a deadline does: what the plugin answers later is stale.
  void abandon(agentd_op op) {
    const std::lock_guard lock(mutex);
    end(ops[op], AGENTD_UNKNOWN_OUTCOME, "abandoned", -1);
  }
  void mark_cancelled(agentd_op op) {
    const std::lock_guard lock(mutex);
    const auto found = ops.find(op);
    if (found != ops.end()) found->second.cancelled = true;
  }
  // Calls the watches of a descriptor that wait for one of these events, on this thread, and says how many there were.
  int tell_ready(int64_t fd, uint32_t events) {
    int told = 0;
    for (uint64_t last = 0;;) {
      last = call_next(last, fd, events);
      if (last == 0) return told;
      ++told;
    }
  }
  void advance(int64_t ms) {
    now_ms += ms;
    for (;;) {
      FakeTimer due;
      {
        const std::lock_guard lock(mutex);
        auto first = timers.end();
        for (auto i = timers.begin(); i != timers.end(); ++i) {
          if (i->second.at_ms <= now_ms && (first == timers.end() || i->second.at_ms < first->second.at_ms)) first = i;
        }
        if (first == timers.end()) return;
        due = first->second;
        timers.erase(first);
      }
      due.run(due.context);
    }
  }

  struct Op {
    bool over = false, cancelled = false;
    std::chrono::steady_clock::time_point deadline;
    Ended ended;
    void* self = nullptr;
  };
  struct FakeTimer {
    int64_t at_ms = 0;
    agentd_job_fn run = nullptr;
    void* context = nullptr;
  };
  struct FakeWatch {
    int64_t fd = -1;
    uint32_t events = 0;
    void (*ready)(void* context, uint32_t events) = nullptr;
    void* context = nullptr;
    bool gone = false;
    std::thread::id running;  // where ready runs now
  };
  FakeWorld& world;
  std::mutex mutex;
  std::condition_variable changed;
  agentd_op next = 1;
  std::map<agentd_op, Op> ops;
  void* self = nullptr;
  std::vector<PublishedTool> tools;
  std::map<uint64_t, FakeTimer> timers;
  std::map<uint64_t, FakeWatch> watches;
  std::map<uint64_t, std::string> metric_names;
  std::set<uint64_t> aborted;
  int64_t now_ms = 0;
  uint64_t next_handle = 1;
  FakeThreads loop{1};
  FakeThreads workers;

 private:
  static FakeInstance& of(agentd_host* host) { return *static_cast<FakeInstance*>(host); }
  static std::string text(agentd_str s) { return std::string(sdk::view(s)); }
  void end(Op& op, int32_t status, std::string value, int64_t after) {
    op.ended.status = status, op.ended.value = std::move(value), op.ended.retry_after_ms = after, op.over = true;
    changed.notify_all();
  }
  // f(op) for an operation that is open; else its finish is stale.
  template <class F>
  int32_t with(agentd_op id, F&& f) {
    const std::lock_guard lock(mutex);
    const auto found = ops.find(id);
    if (found == ops.end() || found->second.over) {
      const std::lock_guard also(world.mutex);
      ++world.stale_finishes;
      return AGENTD_STALE;
    }
    return f(found->second), AGENTD_OK;
  }

  static int32_t created(agentd_host* host, agentd_op op, void* made) {
    return of(host).with(op, [&](Op& o) {
      of(host).self = made;
      of(host).end(o, AGENTD_OK, "null", -1);
    });
  }
  static int32_t finish(agentd_host* host, agentd_op op, const agentd_result* r) {
    return of(host).with(op, [&](Op& o) { of(host).end(o, r->status, text(r->value), r->retry_after_ms); });
  }
  static int32_t progress(agentd_host* host, agentd_op op, agentd_str line) {
    const std::lock_guard lock(of(host).mutex);
    const auto found = of(host).ops.find(op);
    if (found == of(host).ops.end() || found->second.over || found->second.cancelled) return AGENTD_CANCELLED;
    found->second.ended.progress.push_back(text(line));
    return AGENTD_OK;
  }
  static int32_t cancelled(agentd_host* host, agentd_op op) {
    const std::lock_guard lock(of(host).mutex);
    const auto found = of(host).ops.find(op);
    return found == of(host).ops.end() || found->second.over || found->second.cancelled ? 1 : 0;
  }
  static int64_t remaining_ms(agentd_host* host, agentd_op op) {
    const std::lock_guard lock(of(host).mutex);
    const auto found = of(host).ops.find(op);
    if (found == of(host).ops.end() || found->second.over) return 0;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(found->second.deadline - std::chrono::steady_clock::now());
    return left.count() < 0 ? 0 : left.count();
  }
  static int32_t submit(agentd_host* host, agentd_op, agentd_job_fn run, void* context) {
    of(host).workers.post([run, context] { run(context); });
    return AGENTD_OK;
  }
  static void log(agentd_host* host, int32_t, agentd_str line) {
    const std::lock_guard lock(of(host).world.mutex);
    of(host).world.logs.push_back(text(line));
  }
  static int32_t publish(agentd_host* host, const agentd_tool* const* list, uint64_t count) {
    const std::lock_guard lock(of(host).mutex);
    of(host).tools.clear();
    for (uint64_t i = 0; i < count; ++i) {
      const agentd_tool& t = *list[i];
      of(host).tools.push_back({text(t.name), text(t.summary), text(t.schema), t.effect, (t.flags & AGENTD_TOOL_RECONCILES) != 0});
    }
    return AGENTD_OK;
  }
  static uint64_t after(agentd_host* host, int64_t delay_ms, agentd_job_fn run, void* context) {
    const std::lock_guard lock(of(host).mutex);
    const uint64_t handle = of(host).next_handle++;
    of(host).timers[handle] = {of(host).now_ms + delay_ms, run, context};
    return handle;
  }
  static int32_t cancel_timer(agentd_host* host, uint64_t timer) {
    const std::lock_guard lock(of(host).mutex);
    return of(host).timers.erase(timer) > 0 ? AGENTD_OK : AGENTD_STALE;
  }
  static uint64_t watch(agentd_host* host, int64_t fd, uint32_t events, void (*ready)(void*, uint32_t), void* context) {
    if (fd < 0 || !ready || (events & (AGENTD_IO_READ | AGENTD_IO_WRITE)) == 0) return 0;
    const std::lock_guard lock(of(host).mutex);
    const uint64_t handle = of(host).next_handle++;
    of(host).watches[handle] = {fd, events, ready, context, false, {}};
    return handle;
  }
  static void unwatch(agentd_host* host, uint64_t id) {
    std::unique_lock lock(of(host).mutex);
    auto& all = of(host).watches;
    if (all.count(id) == 0) return;
    all[id].gone = true;
    const auto inside = [&] { return all.count(id) > 0 && all[id].running == std::this_thread::get_id(); };
    if (inside()) return;  // erased when ready returns
    of(host).changed.wait(lock, [&] { return all.count(id) == 0 || all[id].running == std::thread::id(); });
    all.erase(id);
  }
  // The next watch after `last` that fits has been called; 0: there is none.
  uint64_t call_next(uint64_t last, int64_t fd, uint32_t events) {
    std::unique_lock lock(mutex);
    auto due = watches.upper_bound(last);
    while (due != watches.end() && (due->second.fd != fd || (due->second.events & events) == 0 || due->second.gone)) ++due;
    if (due == watches.end()) return 0;
    const uint64_t id = due->first;
    due->second.running = std::this_thread::get_id();
    const FakeWatch copy = due->second;
    lock.unlock();
    copy.ready(copy.context, copy.events & events);
    lock.lock();
    watches[id].running = std::thread::id();
    if (watches[id].gone) watches.erase(id);
    changed.notify_all();
    return id;
  }
  static uint64_t declare(agentd_host* host, int32_t, agentd_str name, agentd_str) {
    const std::lock_guard lock(of(host).world.mutex);
    of(host).metric_names[of(host).next_handle] = text(name);
    of(host).world.metrics[text(name)] += 0;
    return of(host).next_handle++;
  }
  static void add_metric(agentd_host* host, uint64_t metric, double value) {
    const std::lock_guard lock(of(host).world.mutex);
    of(host).world.metrics[of(host).metric_names[metric]] += value;
  }
  static void set_metric(agentd_host* host, uint64_t metric, double value) {
    const std::lock_guard lock(of(host).world.mutex);
    of(host).world.metrics[of(host).metric_names[metric]] = value;
  }
  static int32_t kv_get(agentd_host* host, agentd_str key, void (*receive)(void*, agentd_str), void* context) {
    const std::lock_guard lock(of(host).world.mutex);
    const auto found = of(host).world.kv.find(text(key));
    if (found != of(host).world.kv.end()) receive(context, sdk::str(found->second));
    return AGENTD_OK;
  }
  static int32_t kv_put(agentd_host* host, agentd_str key, agentd_str value) {
    const std::lock_guard lock(of(host).world.mutex);
    of(host).world.kv[text(key)] = text(value);
    return AGENTD_OK;
  }
  static int32_t kv_erase(agentd_host* host, agentd_str key) {
    const std::lock_guard lock(of(host).world.mutex);
    of(host).world.kv.erase(text(key));
    return AGENTD_OK;
  }

  static uint64_t http_start(agentd_host* host, const agentd_http_request* r, const agentd_http_handler* h) {
    FakeRequest request{r->parent, {}, text(r->method), text(r->url), text(r->body), (r->flags & AGENTD_HTTP_PUBLIC_ONLY) != 0, r->max_response_bytes};
    for (uint64_t i = 0; i < r->header_count; ++i) request.headers.emplace_back(text(r->headers[i]->name), text(r->headers[i]->value));
    if (!of(host).world.http) return 0;
    {
      const std::lock_guard lock(of(host).world.mutex);
      of(host).world.requests.push_back(request);
    }
    uint64_t handle = 0;
    {
      const std::lock_guard lock(of(host).mutex);
      handle = of(host).next_handle++;
    }
    of(host).loop.post([&self = of(host), handle, handler = *h, request = std::move(request)] { self.exchange(handle, handler, request); });
    return handle;
  }
  static void http_pause(agentd_host*, uint64_t, int32_t) {}
  static void http_abort(agentd_host* host, uint64_t request) {
    const std::lock_guard lock(of(host).mutex);
    of(host).aborted.insert(request);
    of(host).changed.notify_all();
  }
  void wait_for_abort(uint64_t handle, agentd_op parent) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(20), [&] {
      const auto op = ops.find(parent);
      return aborted.count(handle) > 0 || (parent != 0 && (op == ops.end() || op->second.over));
    });
    aborted.insert(handle);
  }
  bool was_aborted(uint64_t handle) {
    const std::lock_guard lock(mutex);
    return aborted.count(handle) > 0;
  }
  void exchange(uint64_t handle, const agentd_http_handler& handler, const FakeRequest& request) {
    const FakeAnswer answer = world.http(request);
    if (answer.hangs) wait_for_abort(handle, request.parent);
    const auto ends = [&](int32_t status, std::string_view value) {
      const agentd_result result{sizeof result, status, sdk::str(value), -1};
      handler.end(handler.context, &result);
    };
    const int32_t when_aborted = request.method == "POST" || request.method == "PATCH" ? AGENTD_UNKNOWN_OUTCOME : AGENTD_CANCELLED;  // it was sent
    if (was_aborted(handle)) return ends(when_aborted, "aborted");
    if (answer.error != AGENTD_OK) return ends(answer.error, answer.body);
    if (!give_head(handler, request, answer)) return ends(when_aborted, "aborted by its reader");
    if (!handler.body) return ends(AGENTD_OK, answer.body);
    const std::size_t piece = answer.chunk > 0 ? answer.chunk : answer.body.size() + 1;
    for (std::size_t at = 0; at < answer.body.size(); at += piece) {
      if (was_aborted(handle)) return ends(when_aborted, "aborted");
      const bool stop = handler.body(handler.context, sdk::str(std::string_view(answer.body).substr(at, piece))) != 0;
      if (stop) return ends(when_aborted, "aborted by its reader");
    }
    ends(AGENTD_OK, {});
  }
  static bool give_head(const agentd_http_handler& handler, const FakeRequest& request, const FakeAnswer& answer) {
    if (!handler.head) return true;
    std::vector<agentd_header> records;
    std::vector<const agentd_header*> pointers;
    for (const auto& [name, value] : answer.headers) records.push_back({sizeof(agentd_header), 0, sdk::str(name), sdk::str(value)});
    for (const auto& record : records) pointers.push_back(&record);
    const agentd_http_head head{sizeof head, answer.status, pointers.data(), pointers.size(), sdk::str(request.url)};
    return handler.head(handler.context, &head) == 0;
  }

  static int32_t entries(agentd_host* host, agentd_op op, const agentd_memory_entry* const* list, uint64_t count) {
    return of(host).with(op, [&](Op& o) {
      for (uint64_t i = 0; i < count; ++i) o.ended.entries.push_back(sdk::detail::own(*list[i]));
    });
  }
  static int32_t emit(agentd_host* host, agentd_op op, const agentd_delta* d) {
    const std::lock_guard lock(of(host).mutex);
    const auto found = of(host).ops.find(op);
    if (found == of(host).ops.end() || found->second.over || found->second.cancelled) return AGENTD_CANCELLED;
    found->second.ended.deltas.push_back({d->kind, d->index, text(d->name), text(d->text)});
    return AGENTD_OK;
  }
  static int32_t answer(agentd_host* host, agentd_op op, const agentd_answer* a) {
    return of(host).with(op, [&](Op& o) {
      sdk::ModelAnswer seen{text(a->text), {}, static_cast<sdk::Finish>(a->finish_reason), {}, text(a->extra), text(a->model)};
      for (uint64_t i = 0; i < a->call_count; ++i) {
        seen.calls.push_back({text(a->calls[i]->id), text(a->calls[i]->name), text(a->calls[i]->arguments)});
      }
      seen.usage = usage(a->usage);
      o.ended.answer = std::move(seen);
      of(host).end(o, AGENTD_OK, "", -1);
    });
  }
  static int32_t embedded(agentd_host* host, agentd_op op, const agentd_vectors* v) {
    return of(host).with(op, [&](Op& o) {
      sdk::Vectors seen{{}, usage(v->usage), text(v->model)};
      for (uint64_t i = 0; i < v->count; ++i) seen.values.push_back(sdk::detail::own(v->values + i * v->dimensions, v->dimensions));
      o.ended.vectors = std::move(seen);
      of(host).end(o, AGENTD_OK, "", -1);
    });
  }
  static std::optional<sdk::Usage> usage(const agentd_usage* u) {
    if (!u) return {};
    return sdk::Usage{u->input_tokens, u->output_tokens, u->cache_read_tokens, u->cache_write_tokens, u->reasoning_tokens};
  }
  static int32_t fail(agentd_host* host, agentd_op op, const agentd_result* r, int32_t failure) {
    return of(host).with(op, [&](Op& o) {
      o.ended.failure = static_cast<sdk::ModelFailure>(failure);
      of(host).end(o, r->status, text(r->value), r->retry_after_ms);
    });
  }

  static const void* find(agentd_host* host, const char* id) {
    static const agentd_host_ops_v1 ops_table{&created, &finish, &progress, &cancelled, &remaining_ms};
    static const agentd_host_work_v1 work_table{&submit};
    static const agentd_host_log_v1 log_table{&log};
    static const agentd_host_tools_v1 tools_table{&publish};
    static const agentd_host_timer_v1 timer_table{&after, &cancel_timer};
    static const agentd_host_io_v1 io_table{&watch, &unwatch};
    static const agentd_host_metrics_v1 metrics_table{&declare, &add_metric, &set_metric};
    static const agentd_host_kv_v1 kv_table{&kv_get, &kv_put, &kv_erase};
    static const agentd_host_http_v1 http_table{&http_start, &http_pause, &http_abort};
    static const agentd_host_memories_v1 memories_table{&entries};
    static const agentd_host_completions_v1 completions_table{&emit, &answer, &fail, &embedded};
    static const std::map<std::string, const void*> all{
        {AGENTD_HOST_OPS_1, &ops_table},         {AGENTD_HOST_WORK_1, &work_table},   {AGENTD_HOST_LOG_1, &log_table},
        {AGENTD_HOST_TOOLS_1, &tools_table},     {AGENTD_HOST_TIMER_1, &timer_table}, {AGENTD_HOST_METRICS_1, &metrics_table},
        {AGENTD_HOST_KV_1, &kv_table},           {AGENTD_HOST_HTTP_1, &http_table},   {AGENTD_HOST_MEMORIES_1, &memories_table},
        {AGENTD_HOST_COMPLETIONS_1, &completions_table}, {AGENTD_HOST_IO_1, &io_table}};
    const auto found = all.find(id);
    return found == all.end() || of(host).world.absent.count(id) > 0 ? nullptr : found->second;
  }
};

}  // namespace agentd::testing
