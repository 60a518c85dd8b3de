// A request and its answer as handlers see them.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/async.hpp"

namespace agentd::api {

// The body of a request on its way in, for a route that takes it piece by piece.
class Incoming {
 public:
  virtual ~Incoming() = default;
  // The next piece; empty: that was all. Nothing: the client is gone, or too slow, or breaks the protocol.
  virtual Async<std::optional<std::string>> next() = 0;
};

struct Request {
  std::string method;
  std::string path;                                        // decoded
  std::map<std::string, std::string, std::less<>> captured;  // by the names of the route's pattern
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::map<std::string, std::string, std::less<>> headers;   // names in lower case
  std::string body;
  Incoming* incoming = nullptr;                            // of a streamed route: its body, which `body` is not; lives until the answer
  std::string caller;                                      // the name of the token that came with it; "" where the API has none
  std::stop_token stopping;                                // the server is going down: answer soon
  // Gives up the request's place among those in progress while it only waits; what comes back takes the place again when it is
  // destroyed. Null: as many wait as may.
  std::function<std::shared_ptr<void>()> rest;

  const std::string& capture(std::string_view name) const { return captured.find(name)->second; }
  std::string parameter(std::string_view name) const;      // the first of that name; "" when there is none
  std::vector<std::string> parameters(std::string_view name) const;
  std::string header(std::string_view name) const;
};

// An answer that is whole.
struct Document {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// The client's end of an answer that goes on.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual Async<bool> write(std::string text) = 0;  // false: the client is gone, or too slow
};

// An answer that goes on until its story ends. What the story captures outlives it: the server keeps it.
struct EventStream {
  std::function<Async<void>(Stream&)> story;
};

using Answer = std::variant<Document, EventStream>;
using Handler = std::function<Async<Answer>(Request)>;

}  // namespace agentd::api
