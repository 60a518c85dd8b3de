// One question over HTTP.
#pragma once
#include <string>

#include "core/base/async.hpp"
#include "core/port/http.hpp"

namespace agentd::doctor {

struct Heard {
  int status = 0;
  std::string server;  // as it calls itself
  std::string body;    // its beginning
};

// At most five seconds. An error says what is in the way: no such name, refused, its certificate, no answer in time.
Async<Result<Heard>> ask(port::HttpClient& http, std::string url, port::HttpHeaders headers);

}  // namespace agentd::doctor
