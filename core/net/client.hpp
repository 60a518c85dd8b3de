// The shared HTTP client: libcurl on the engine's executor. Connections are pooled and kept alive, HTTP/2 is used over TLS where the
// server has it, answers are decompressed, and nothing is unbounded.
//
// The engine thread only. Destroying the client drops what is in flight: connections are closed, no handler is called.
//
// How an exchange fails, as Error::error_class:
//   retryable        the request was not sent, or its method may be repeated (all but POST and PATCH): try again later
//   unknown_outcome  a POST or PATCH was sent and no whole answer came back; the client itself never sends one twice
//   policy           public_only was asked for and the address is not public
//   terminal         anything else, an abort included ("aborted")
//
// Bounds: 256 connections, idle ones included, for every 128 transfers in flight; those that a burst leaves behind are closed within two
// minutes. The body by HttpRequest::max_response_bytes; headers 64 KiB and 200 lines; a redirect's own body 64 KiB; a name is looked up
// by at most four transfers at a time, the others wait for what these find. No cookies, no .netrc, no credentials in a URL, and no
// proxy unless Settings names one: http_proxy in the environment is not looked at.
//
// A redirect to another origin (scheme, host or port) takes along only headers that cannot hold a secret: Accept, Accept-Language,
// User-Agent, and Content-Type where the body goes too.
#pragma once
#include <memory>
#include <string>

#include "core/base/async.hpp"
#include "core/port/http.hpp"

namespace agentd::net {

struct Settings {
  std::string user_agent = "agentd";
  std::string proxy;                  // "http://host:port"; empty: none. Requests that are public_only are refused with one: it would hide the address
  std::string ca_file;                // PEM; empty: the system's
  Millis connect_timeout{30'000};     // name, connection and TLS; part of the request's own timeout
};

class Loop;

class Client final : public port::HttpClient {
 public:
  // The clock and the timers of the world measure the timeouts of requests.
  explicit Client(World world, Settings settings = {});
  ~Client() override;
  Id start(port::HttpRequest request, port::HttpHandler handler) override;
  void pause(Id id, bool paused) override;
  void abort(Id id) override;
  std::size_t in_flight() const;

 private:
  std::unique_ptr<Loop> loop_;
};

}  // namespace agentd::net
