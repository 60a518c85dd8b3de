// A request and its answer as handlers see them.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/async.hpp"

namespace agentd::api {

struct Request {
  std::string method;
  std::string path;                                        // decoded
  std::map<std::string, std::string, std::less<>> captured;  // by the names of the route's pattern
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::map<std::string, std::string, std::less<>> headers;   // names in lower case
  std::string body;
  std::stop_token stopping;                                // the server is going down: answer soon

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
