// A blocking HTTP/1.1 client for one host at one URL. One thread; a connection per call.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/port/http.hpp"
#include "host/cli/command.hpp"

namespace agentd::cli {

struct Reply {
  int status = 0;
  std::string body;
  std::map<std::string, std::string> headers;  // names in lower case
};

struct Place {
  std::string host;
  std::string port;
  std::string prefix;  // path of the URL, without a slash at its end
  bool is_secure = false;
  static Result<Place> of(std::string_view url);
};

class Http {
 public:
  // ca_file: PEM, of who signed the host's certificate; empty: whom the system trusts.
  Http(Place place, std::string url, std::string token, std::string ca_file = {}) : place_(std::move(place)), url_(std::move(url)), token_(std::move(token)), ca_file_(std::move(ca_file)) {}

  // An error means that no whole answer came; an answer of any status is a reply.
  Result<Reply> exchange(std::string_view method, std::string_view target, std::string body, Millis timeout, std::string_view content_type = "application/json") const;
  // Reads an event stream line by line until the host ends it, nothing came for idle, or on_line answers false.
  // A reply that is not a stream comes back whole.
  Result<Reply> stream(std::string_view target, std::string_view last_event_id, Millis idle, const std::function<bool(std::string_view)>& on_line) const;

 private:
  Result<Reply> perform(port::HttpRequest request, Millis timeout, const std::function<bool(std::string_view)>* on_line) const;

  Place place_;
  std::string url_;
  std::string token_;
  std::string ca_file_;
};

// "a b" -> "a%20b", for one segment or value.
std::string percent_encode(std::string_view text);

}  // namespace agentd::cli
