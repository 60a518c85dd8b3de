// The toolset `http`: reading the web, and writing to it only where the operator allows it. Addresses of this machine and its network are
// refused after name resolution and on every redirect, unless allow_private is set.
#include <agentd/sdk/duration.hpp>
#include <agentd/sdk/http.hpp>
#include <agentd/sdk/toolset.hpp>

#include <algorithm>
#include <chrono>
#include <memory>

#include "page.hpp"
#include "rules.hpp"

using namespace agentd::sdk;

namespace {

using http_plugin::contains;
using http_plugin::Page;

struct Limits {
  bool allow_private = false;
  std::vector<std::string> methods = {"GET", "HEAD"};
  std::vector<std::string> hosts;  // empty: every public host
  int64_t max_bytes = 1 << 20;
};

void check(const Limits& limits) {
  static const std::vector<std::string> kMethods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  for (const auto& method : limits.methods)
    if (!contains(kMethods, method)) throw Error("\"" + method + "\" is not a method; there are GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  for (const auto& host : limits.hosts) http_plugin::check_host_pattern(host);
  if (limits.max_bytes < 1 || limits.max_bytes > 32 << 20) throw Error("max_bytes is from 1 to 33554432");
}

// Gathers one answer up to a bound, then replies. The host calls these one at a time.
class Reading {
 public:
  Reading(Reply<Page> reply, std::size_t max_bytes) : reply_(std::move(reply)), max_bytes_(max_bytes) {}
  bool on_head(const HttpHead& head) {
    head_ = head;
    return true;
  }
  bool on_body(std::string_view chunk) {
    const std::size_t room = max_bytes_ - body_.size();
    body_ += chunk.substr(0, room);
    if (chunk.size() <= room) return true;
    complete_ = false;  // enough: the rest is not fetched
    return false;
  }
  void on_end(HttpResult result) {
    const auto* error = std::get_if<Error>(&result);
    const bool may_have_happened = error && error->failure == Failure::unknown_outcome;
    if (error && complete_) return reply_.fail(reply_.call().cancelled() && !may_have_happened ? Error("cancelled", Failure::cancelled) : *error);
    reply_(http_plugin::make_page(head_, std::move(body_), complete_));
  }
  Reply<Page>& reply() { return reply_; }

 private:
  Reply<Page> reply_;
  HttpHead head_;
  std::string body_;
  std::size_t max_bytes_;
  bool complete_ = true;
};

struct Http final : Toolset {
  static constexpr bool concurrent = true;

  struct Config {
    bool allow_private = false;                        // addresses of this machine and its network
    std::vector<std::string> methods = {"GET", "HEAD"};  // others are offered as a tool of their own, `send`
    std::vector<std::string> hosts;                    // "example.com", "*.example.com"; none: every host
    std::vector<std::string> request_headers = {"accept", "accept-language", "content-type", "if-modified-since", "if-none-match", "range"};
    int64_t max_bytes = 1 << 20;                       // of an answer; longer ones are cut
    int max_redirects = 5;                             // not followed where `hosts` is set: the answer says where it leads
    Duration timeout{std::chrono::seconds(20)};
    AGENTD_FIELDS(allow_private, methods, hosts, request_headers, max_bytes, max_redirects, timeout)
  };
  struct View : Scope {
    Limits limits;
  };
  struct Narrow {
    std::optional<bool> allow_private;
    std::optional<std::vector<std::string>> methods, hosts;
    std::optional<int64_t> max_bytes;
    AGENTD_FIELDS(allow_private, methods, hosts, max_bytes)
  };

  Http(const Config& config, const Host& host) : host_(host), config_(config), own_{config.allow_private, config.methods, config.hosts, config.max_bytes} {
    check(own_);
    for (auto& name : config_.request_headers) name = http_plugin::lower(name);
    for (const char* never : {"host", "cookie", "connection", "content-length", "transfer-encoding", "proxy-authorization"})
      if (contains(config_.request_headers, never)) throw Error("request_headers: \"" + std::string(never) + "\" is never set by a model");
    if (contains(own_.methods, "GET") || contains(own_.methods, "HEAD")) add_fetch();
    if (std::any_of(own_.methods.begin(), own_.methods.end(), [](const auto& m) { return m != "GET" && m != "HEAD"; })) add_send();
  }

  View bind(const Narrow& narrow) const {
    View view;
    view.limits = own_;
    if (narrow.allow_private.value_or(false) && !own_.allow_private) throw Error("allow_private: true would widen the host's setting");
    if (narrow.allow_private) view.limits.allow_private = *narrow.allow_private;
    if (narrow.max_bytes && *narrow.max_bytes > own_.max_bytes) throw Error("max_bytes: more than the host's setting of " + std::to_string(own_.max_bytes));
    if (narrow.max_bytes) view.limits.max_bytes = *narrow.max_bytes;
    if (narrow.methods) view.limits.methods = *narrow.methods;
    if (narrow.hosts) view.limits.hosts = *narrow.hosts;
    check(view.limits);
    for (const auto& method : view.limits.methods)
      if (!contains(own_.methods, method)) throw Error("methods: \"" + method + "\" would widen the host's setting");
    if (narrow.hosts && narrow.hosts->empty() && !own_.hosts.empty()) throw Error("hosts: an empty list would widen the host's setting");
    for (const auto& host : view.limits.hosts)
      if (!is_within_own(host)) throw Error("hosts: \"" + host + "\" would widen the host's setting");
    return view;
  }

 private:
  void add_fetch() {
    add("fetch", "Read a page or file of the web: status, headers, and the text of its content",
        {{"url", "http or https"}, {"method", "GET, or HEAD for the headers alone", "GET"}, {"headers", "request headers", std::map<std::string, std::string>()}}, Effect::pure,
        [this](Reply<Page> reply, const View& view, const std::string& url, const std::string& method, const std::map<std::string, std::string>& headers) {
          if (method != "GET" && method != "HEAD") throw Error("fetch takes GET and HEAD only");
          const auto request = make_request(view.limits, url, method, headers, "");  // while the reply is still here, a refusal is the answer
          exchange(std::move(reply), request, view.limits);
        });
  }
  void add_send() {
    add("send", "Send something to a server of the web: it changes things there, and is never repeated by itself",
        {{"method", "POST, PUT, PATCH, DELETE, OPTIONS"}, {"url", "http or https"}, {"body", "the content, as text", ""}, {"headers", "request headers", std::map<std::string, std::string>()}}, Effect::once,
        [this](Reply<Page> reply, const View& view, const std::string& method, const std::string& url, const std::string& body, const std::map<std::string, std::string>& headers) {
          if (method == "GET" || method == "HEAD") throw Error("use fetch for " + method);
          const auto request = make_request(view.limits, url, method, headers, body);
          exchange(std::move(reply), request, view.limits);
        });
  }
  bool is_within_own(const std::string& host) const {
    const std::string bare = host.substr(0, 2) == "*." ? host.substr(1) : host;  // "*.a.b" lies within "*.b" as ".a.b" does
    return own_.hosts.empty() || contains(own_.hosts, host) || (is_wildcard_within(bare));
  }
  bool is_wildcard_within(const std::string& bare) const {
    return std::any_of(own_.hosts.begin(), own_.hosts.end(), [&](const std::string& pattern) {
      return pattern.substr(0, 2) == "*." && http_plugin::is_allowed_host(http_plugin::lower(bare), {pattern});
    });
  }
  HttpRequest make_request(const Limits& limits, const std::string& url, const std::string& method, const std::map<std::string, std::string>& headers,
                           const std::string& body) const {
    if (!contains(limits.methods, method)) throw Error("the method " + method + " is not allowed here");
    const std::string host = http_plugin::host_of(url);
    if (!http_plugin::is_allowed_host(host, limits.hosts)) throw Error("the host \"" + host + "\" is not one of those allowed here");
    HttpRequest request;
    request.method = method;
    request.url = url;
    request.headers = http_plugin::checked_headers(headers, config_.request_headers);
    request.body = body;
    request.timeout = config_.timeout;
    request.max_response_bytes = UINT64_MAX;  // what is longer than max_bytes is cut, also where the server says so beforehand
    request.max_redirects = limits.hosts.empty() && (method == "GET" || method == "HEAD") ? config_.max_redirects : 0;
    request.public_only = !limits.allow_private;
    return request;
  }
  void exchange(Reply<Page> reply, const HttpRequest& request, const Limits& limits) {
    const agentd_op op = reply.call().op();
    const auto abort = std::make_shared<Abort>();
    reply.call().on_cancel([abort] { abort->fire(); });
    const auto reading = std::make_shared<Reading>(std::move(reply), static_cast<std::size_t>(limits.max_bytes));  // shared by the three callbacks
    HttpHandler handler;
    handler.head = [reading](const HttpHead& head) { return reading->on_head(head); };
    handler.body = [reading](std::string_view chunk) { return reading->on_body(chunk); };
    handler.end = [reading](HttpResult result) { reading->on_end(std::move(result)); };
    try {
      abort->started(stream(host_, op, request, std::move(handler)));
    } catch (const Error& e) {  // refused at once: no callback comes
      reading->reply().fail(e);
    }
  }

  Host host_;
  Config config_;
  Limits own_;
};

}  // namespace

AGENTD_PLUGIN("http", "1.0.0", provides<Http>("http", "Reads the web, and writes to it where that is allowed"), needs({AGENTD_HOST_HTTP_1}), license{"MIT"})
