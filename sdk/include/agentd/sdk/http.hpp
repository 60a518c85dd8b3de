// The host's HTTP client: pooled, HTTP/2, bounded, and aborted with the operation that it is for.
//
//   const HttpResponse page = fetch(call, {"GET", url});                       // waits: in a synchronous body
//   send(host, op, {"POST", url, headers, body}, [completion = std::move(completion)](HttpResult result) mutable { ... });   // does not
//   stream(host, op, request, {on_head, on_body, on_end});                     // the body in pieces
//
// An answer of any status is a response; an Error is what kept an answer from coming.
#pragma once
#include <agentd/sdk/call.hpp>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace agentd::sdk {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};
  HttpHeaders headers = {};
  std::string body = {};
  std::chrono::milliseconds timeout{0};       // whole exchange; 0: what is left of the operation's deadline
  std::chrono::milliseconds idle_timeout{0};  // no byte for so long; 0: none
  uint64_t max_response_bytes = 0;            // 0: the host's bound
  int max_redirects = 0;                      // 0: a redirect is an answer like any other
  bool public_only = false;                   // refuse private, loopback, link-local and multicast addresses
};

struct HttpHead {
  int status = 0;
  HttpHeaders headers;  // names in lower case
  std::string url;      // after redirects

  // The first header of that name, in lower case; empty when there is none.
  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};
struct HttpResponse : HttpHead {
  std::string body;
};
using HttpResult = std::variant<HttpResponse, Error>;

// Called from a thread of the host, one at a time; return quickly.
struct HttpHandler {
  Callback<bool(const HttpHead&)> head = {};   // once, before any body; false: abort. May be left out
  Callback<bool(std::string_view)> body = {};  // false: abort. Left out: the body is gathered and comes with end
  Callback<void(HttpResult)> end = {};         // exactly once
};

// Names a request under way. A value; does not own it: the operation does.
class Transfer {
 public:
  Transfer() = default;
  Transfer(const Host& host, uint64_t number) : host_(host.raw()), service_(host.find<agentd_host_http_v1>()), number_(number) {}
  void pause(bool paused) const {
    if (number_ != 0) service_->pause(host_, number_, paused ? 1 : 0);
  }
  void abort() const {  // end still comes
    if (number_ != 0) service_->abort(host_, number_);
  }

 private:
  agentd_host* host_ = nullptr;
  const agentd_host_http_v1* service_ = nullptr;
  uint64_t number_ = 0;
};

// Lets a cancel, which comes on another thread, reach a request that is about to start. Shared by both:
//   const auto abort = std::make_shared<Abort>();
//   call.on_cancel([abort] { abort->fire(); });
//   abort->started(send(...));
class Abort {
 public:
  void started(Transfer transfer) {
    const std::lock_guard lock(mutex_);
    transfer_ = transfer;
    if (wanted_) transfer_.abort();
  }
  void fire() {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
    transfer_.abort();
  }

 private:
  std::mutex mutex_;
  Transfer transfer_;
  bool wanted_ = false;
};

namespace detail {

inline Failure failure_of(int32_t status) {
  switch (status) {
    case AGENTD_RETRYABLE:
    case AGENTD_BUSY: return Failure::retryable;
    case AGENTD_UNKNOWN_OUTCOME: return Failure::unknown_outcome;
    case AGENTD_CANCELLED:
    case AGENTD_STALE: return Failure::cancelled;
    default: return Failure::terminal;
  }
}

// One exchange, from start to end. Owned by the host in between.
struct Exchange {
  Host host;
  HttpHandler handler;
  HttpResponse response;

  template <class F>
  int32_t go_on(F&& f) noexcept {
    try {
      return f() ? 0 : 1;
    } catch (...) {
      describe_current_exception([this](int32_t, const char* message, int64_t) { host.log(Level::error, message); });
      return 1;
    }
  }
  static int32_t head(void* self, const agentd_http_head* head) noexcept {
    auto& x = *static_cast<Exchange*>(self);
    return x.go_on([&] {
      x.response.status = head->status;
      x.response.url = view(head->url);
      for (uint64_t i = 0; i < head->header_count; ++i) x.response.headers.emplace_back(view(head->headers[i]->name), view(head->headers[i]->value));
      return !x.handler.head || x.handler.head(x.response);
    });
  }
  static int32_t body(void* self, agentd_str chunk) noexcept {
    auto& x = *static_cast<Exchange*>(self);
    return x.go_on([&] { return x.handler.body(view(chunk)); });
  }
  static void end(void* self, const agentd_result* result) noexcept {
    const std::unique_ptr<Exchange> x(static_cast<Exchange*>(self));
    (void)x->go_on([&] {
      if (result->status == AGENTD_OK) {
        x->response.body = view(result->value);
        x->handler.end(std::move(x->response));
      } else {
        x->handler.end(Error(std::string(view(result->value)), failure_of(result->status), result->retry_after_ms));
      }
      return true;
    });
  }
};

}  // namespace detail

// Starts a request. `parent` is the operation that it is for, 0: the instance's own. An Error when the host refuses it at once; end does
// not come then.
inline Transfer stream(const Host& host, agentd_op parent, const HttpRequest& request, HttpHandler handler) {
  using detail::Exchange;
  const auto& service = host.need<agentd_host_http_v1>();
  std::vector<agentd_header> records;
  std::vector<const agentd_header*> pointers;
  for (const auto& [name, value] : request.headers) records.push_back({sizeof(agentd_header), 0, str(name), str(value)});
  for (const auto& record : records) pointers.push_back(&record);
  const agentd_http_request record{sizeof record, request.public_only ? uint32_t{AGENTD_HTTP_PUBLIC_ONLY} : 0u, parent, str(request.method),
                                   str(request.url), pointers.data(), pointers.size(), str(request.body), request.timeout.count(),
                                   request.idle_timeout.count(), request.max_response_bytes, request.max_redirects, 0};
  const bool gathered = !handler.body;
  std::unique_ptr<Exchange> exchange(new Exchange{host, std::move(handler), {}});
  const agentd_http_handler callbacks{sizeof callbacks, 0, exchange.get(), &Exchange::head, gathered ? nullptr : &Exchange::body, &Exchange::end};
  const uint64_t number = service.start(host.raw(), &record, &callbacks);
  if (number == 0) throw Error("the host refused the request");
  (void)exchange.release();  // the host's until end, which may have come already
  return Transfer(host, number);
}

// The whole answer at once.
inline Transfer send(const Host& host, agentd_op parent, const HttpRequest& request, Callback<void(HttpResult)> end) {
  return stream(host, parent, request, HttpHandler{{}, {}, std::move(end)});
}

namespace detail {

template <class F>
HttpResponse wait_for(const Host& host, agentd_op parent, const HttpRequest& request, F&& on_start) {
  struct Waiting {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<HttpResult> result;
  };
  const auto waiting = std::make_shared<Waiting>();  // shared with the callback
  on_start(send(host, parent, request, [waiting](HttpResult result) {
    const std::lock_guard lock(waiting->mutex);
    waiting->result.emplace(std::move(result));
    waiting->changed.notify_all();
  }));
  std::unique_lock lock(waiting->mutex);
  waiting->changed.wait(lock, [&] { return waiting->result.has_value(); });
  HttpResult result = std::move(*waiting->result);  // nothing of it is left to the callback's thread
  if (auto* error = std::get_if<Error>(&result)) throw std::move(*error);
  return std::move(std::get<HttpResponse>(result));
}

}  // namespace detail

// Waits for the whole answer; in a synchronous body only. Ends early when the call is cancelled. Throws what kept an answer from coming.
inline HttpResponse fetch(Call& call, const HttpRequest& request) {
  return detail::wait_for(call.host(), call.op(), request, [&call](Transfer transfer) { call.on_cancel([transfer] { transfer.abort(); }); });
}

// The same where there is no call at hand, as in a store; the request says how long it may take.
inline HttpResponse fetch(const Host& host, const HttpRequest& request) {
  return detail::wait_for(host, 0, request, [](Transfer) {});
}

}  // namespace agentd::sdk
