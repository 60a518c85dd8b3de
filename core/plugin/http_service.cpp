#include <agentd/abi/host.h>
#include <strings.h>

#include <algorithm>
#include <unordered_map>

#include "core/plugin/abi_text.hpp"
#include "core/plugin/host_services.hpp"

namespace agentd::plugin {
namespace {

constexpr std::size_t kMostTransfers = 65'536;
constexpr std::uint64_t kMostHeaders = 1024;
constexpr Millis kDefaultTimeout{120'000};

bool is_request(const agentd_http_request* r) {
  if (!r || r->size < sizeof(agentd_http_request) || !is_sound(r->method) || !is_sound(r->url) || !is_sound(r->body)) return false;
  if (r->header_count > kMostHeaders || (r->header_count > 0 && !r->headers)) return false;
  for (std::uint64_t i = 0; i < r->header_count; ++i) {
    const auto* const h = r->headers[i];
    if (!h || h->size < sizeof(agentd_header) || !is_sound(h->name) || !is_sound(h->value)) return false;
  }
  return true;
}

port::HttpRequest read_request(const agentd_http_request& r, Millis left) {
  port::HttpRequest request;
  request.method = r.method.size ? view(r.method) : "GET";
  request.url = view(r.url);
  for (std::uint64_t i = 0; i < r.header_count; ++i) request.headers.emplace_back(view(r.headers[i]->name), view(r.headers[i]->value));
  request.body = view(r.body);
  request.timeout = r.timeout_ms > 0 ? Millis(r.timeout_ms) : left;
  if (r.idle_timeout_ms > 0) request.idle_timeout = Millis(r.idle_timeout_ms);
  if (r.max_response_bytes > 0) request.max_response_bytes = r.max_response_bytes;
  request.max_redirects = std::max(0, r.max_redirects);
  request.public_only = (r.flags & AGENTD_HTTP_PUBLIC_ONLY) != 0;
  return request;
}

// What a plugin says itself counts more.
void continue_trace(port::HttpRequest& request, std::string traceparent) {
  const auto is_said = [](const auto& header) { return ::strcasecmp(header.first.c_str(), "traceparent") == 0; };
  if (!traceparent.empty() && std::ranges::none_of(request.headers, is_said)) request.headers.emplace_back("traceparent", std::move(traceparent));
}

std::int32_t status_of(ErrorClass c) {
  if (c == ErrorClass::retryable) return AGENTD_RETRYABLE;
  if (c == ErrorClass::unknown_outcome) return AGENTD_UNKNOWN_OUTCOME;
  return AGENTD_TERMINAL;
}

// The plugin's callbacks run on the engine thread, where the client calls.
class HttpService final : public HostService {
 public:
  static constexpr Part kPart = Part::http;
  HttpService(Instance& instance, port::HttpClient& client) : instance_(instance), client_(client) {}
  std::string_view id() const override { return AGENTD_HOST_HTTP_1; }
  const void* table() const override {
    static constexpr agentd_host_http_v1 kTable{
        [](agentd_host* h, const agentd_http_request* request, const agentd_http_handler* handler) noexcept { return of(h).start(request, handler); },
        [](agentd_host* h, std::uint64_t id, std::int32_t paused) noexcept { of(h).pause(id, paused != 0); },
        [](agentd_host* h, std::uint64_t id) noexcept { of(h).abort(id); }};
    return &kTable;
  }

  void op_over(agentd_op op) override { abort_all_of(op); }
  void stop_own() override { abort_all_of(0); }
  std::string busy() const override {
    const Lock lock(mutex_);
    return transfers_.empty() ? std::string() : std::to_string(transfers_.size()) + " HTTP exchanges have not ended";
  }

 private:
  struct Transfer {
    agentd_http_handler handler;
    agentd_op parent;
    port::HttpRequest request;            // until the client has it
    port::HttpClient::Id in_client = 0;
    bool paused = false, aborted = false;
    std::string body;                     // where the plugin wants it gathered
  };
  static HttpService& of(agentd_host* host) { return Instance::of(host).part<HttpService>(); }

  // ---- any thread

  std::uint64_t start(const agentd_http_request* r, const agentd_http_handler* handler) {
    if (!is_request(r) || !handler || handler->size < sizeof(agentd_http_handler) || !handler->end) return 0;
    auto left = kDefaultTimeout;
    if (r->parent) {
      if (!instance_.ops().is_open(instance_, r->parent)) return 0;
      left = Millis(std::max<std::int64_t>(1, instance_.ops().remaining_ms(instance_, r->parent)));
    } else if (instance_.closing()) {
      return 0;
    }
    auto transfer = std::make_unique<Transfer>();
    transfer->handler = *handler;
    transfer->parent = r->parent;
    transfer->request = read_request(*r, left);
    if (r->parent) continue_trace(transfer->request, instance_.ops().traceparent(instance_, r->parent));
    std::uint64_t id = 0;
    {
      const Lock lock(mutex_);
      if (transfers_.size() == kMostTransfers) return 0;
      id = ++last_;
      children_.emplace(transfer->parent, id);
      transfers_.emplace(id, std::move(transfer));
    }
    instance_.ops().run_on_engine([this, id] { begin(id); });
    return id;
  }

  void pause(std::uint64_t id, bool paused) {
    instance_.ops().run_on_engine([this, id, paused] {
      if (Transfer* const t = find(id)) client_.pause(t->in_client, paused);
    });
  }

  void abort(std::uint64_t id) {
    instance_.ops().run_on_engine([this, id] { abort_now(id); });
  }

  // ---- the engine thread

  // A parent that ended before the engine heard of its transfer takes the transfer along.
  void begin(std::uint64_t id) {
    Transfer* const t = find(id);
    if (t->aborted || (t->parent && !instance_.ops().is_open(instance_, t->parent))) return finish(id, fail("aborted"), true);
    port::HttpHandler handler{
        [this, id](const port::HttpHead& head) { return on_head(id, head); },
        [this, id](std::string_view chunk) { return on_body(id, chunk); },
        [this, id](Result<void> how) { finish(id, std::move(how), false); },
    };
    t->in_client = client_.start(std::move(t->request), std::move(handler));
  }

  bool on_head(std::uint64_t id, const port::HttpHead& head) {
    Transfer* const t = find(id);
    if (!t->handler.head || t->aborted) return !t->aborted;
    std::vector<agentd_header> list;
    list.reserve(head.headers.size());
    std::vector<const agentd_header*> pointers;
    pointers.reserve(head.headers.size());
    for (const auto& [name, value] : head.headers) pointers.push_back(&list.emplace_back(agentd_header{sizeof(agentd_header), 0, str(name), str(value)}));
    const agentd_http_head abi{sizeof abi, head.status, pointers.data(), pointers.size(), str(head.url)};
    return go_on(*t, [&] { return t->handler.head(t->handler.context, &abi); });
  }

  bool on_body(std::uint64_t id, std::string_view chunk) {
    Transfer* const t = find(id);
    if (t->aborted) return false;
    if (t->handler.body) return go_on(*t, [&] { return t->handler.body(t->handler.context, str(chunk)); });
    t->body += chunk;
    return true;
  }

  // Zero from the plugin: go on. What it throws is as good as an abort.
  template <class Callback>
  bool go_on(Transfer& t, Callback callback) {
    std::int32_t answer = 1;
    instance_.guard("an HTTP callback", [&] { answer = callback(); });
    if (answer != 0) t.aborted = true;
    return answer == 0;
  }

  void finish(std::uint64_t id, Result<void> how, bool aborted) {
    std::unique_ptr<Transfer> t;
    {
      const Lock lock(mutex_);
      const auto found = transfers_.find(id);
      t = std::move(found->second);
      transfers_.erase(found);
      const auto [first, last] = children_.equal_range(t->parent);
      children_.erase(std::find_if(first, last, [id](const auto& child) { return child.second == id; }));
    }
    agentd_result result{sizeof result, AGENTD_OK, str(t->body), -1};
    if (!how) {
      const bool may_have_happened = how.error().error_class == ErrorClass::unknown_outcome;
      result.status = (aborted || t->aborted) && !may_have_happened ? AGENTD_CANCELLED : status_of(how.error().error_class);
      result.value = str(how.error().message);
      if (how.error().retry_after) result.retry_after_ms = how.error().retry_after->count();
    }
    instance_.guard("the end of an HTTP exchange", [&] { t->handler.end(t->handler.context, &result); });
    instance_.check_quiet();
  }

  void abort_now(std::uint64_t id) {
    Transfer* const t = find(id);
    if (!t || std::exchange(t->aborted, true)) return;
    if (t->in_client) client_.abort(t->in_client);
  }

  void abort_all_of(agentd_op parent) {
    std::vector<std::uint64_t> children;
    {
      const Lock lock(mutex_);
      const auto [first, last] = children_.equal_range(parent);
      for (auto child = first; child != last; ++child) children.push_back(child->second);
    }
    for (const auto id : children) abort_now(id);
  }

  Transfer* find(std::uint64_t id) {
    const Lock lock(mutex_);
    const auto found = transfers_.find(id);
    return found == transfers_.end() ? nullptr : found->second.get();
  }

  Instance& instance_;
  port::HttpClient& client_;
  mutable Mutex mutex_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Transfer>> transfers_ AGENTD_GUARDED_BY(mutex_);  // what it points to: the engine thread
  std::unordered_multimap<agentd_op, std::uint64_t> children_ AGENTD_GUARDED_BY(mutex_);
  std::uint64_t last_ AGENTD_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<HostService> make_http_service(Instance& instance) {
  auto* const client = instance.services().http;
  return client ? std::make_unique<HttpService>(instance, *client) : nullptr;
}

}  // namespace agentd::plugin
