// The shared HTTP client as plugins and the engine see it.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace agentd::port {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string url;                      // http or https, no credentials inside
  HttpHeaders headers;
  std::string body;
  Millis timeout{120'000};              // the whole exchange
  Millis idle_timeout{0};               // no byte for so long; 0: none
  std::uint64_t max_response_bytes = 64ULL << 20;  // after decoding
  int max_redirects = 0;                // 0: a redirect is an answer like any other
  bool public_only = false;             // no private, loopback, link-local or multicast address, also after a redirect
};

struct HttpHead {
  int status = 0;
  HttpHeaders headers;                  // names in lower case
  std::string url;                      // after redirects
};

// Called on the engine thread, never inside start. head and body return false to abort.
struct HttpHandler {
  std::function<bool(const HttpHead&)> head;
  std::function<bool(std::string_view)> body;
  std::function<void(Result<void>)> end;  // exactly once; an answer of any status that came whole is not an error
};

// The engine thread only.
class HttpClient {
 public:
  using Id = std::uint64_t;
  virtual ~HttpClient() = default;
  virtual Id start(HttpRequest request, HttpHandler handler) = 0;  // never 0
  virtual void pause(Id id, bool paused) = 0;                       // no body calls while paused
  virtual void abort(Id id) = 0;                                    // end follows, unless it has come
};

}  // namespace agentd::port
