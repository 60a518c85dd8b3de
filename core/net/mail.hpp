// Mail by SMTP, on libcurl.
#pragma once
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace agentd::net {

struct Mail {
  std::string url;                   // smtp://HOST:PORT or smtps://HOST
  std::string username, password;    // empty: the server asks for none
  bool require_tls = true;           // nothing is sent without; false: with it where the server offers it
  std::string from;                  // addresses, without angle brackets
  std::vector<std::string> to;
  std::vector<std::string> headers;  // whole lines, ready to be sent
  std::string text;                  // UTF-8
};

// Blocks for a minute at most, or until stop: any thread but the engine's. A retryable error: the server may take it later. libcurl has been
// set up, which a net::Client does.
Result<void> send_mail(const Mail& mail, std::stop_token stop);

}  // namespace agentd::net
