// One exchange on an easy handle of libcurl's, which is used again for the next one. Follows redirects itself, hop by hop, so that every
// hop passes the same checks and a secret does not travel to another origin.
#pragma once
#include <curl/curl.h>

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "core/base/clock.hpp"
#include "core/net/client.hpp"
#include "core/net/socket_set.hpp"
#include "core/net/url.hpp"
#include "core/port/http.hpp"

namespace agentd::net {

class Lane;

class Transfer {
 public:
  using Id = port::HttpClient::Id;
  struct Surroundings {
    const Settings& settings;
    SocketSet& sockets;
    const Clock& clock;
    std::function<void(Transfer&)> name_known;    // called from inside libcurl
    std::function<void(Transfer&)> body_arrived;  // the same: hand_over() is due when libcurl has been left
  };

  explicit Transfer(Surroundings& around);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Takes a request; the handle is ready for the multi handle afterwards, unless the request is refused.
  Result<void> prepare(Id id, port::HttpRequest request, port::HttpHandler handler);
  // The hop ended with this code. Nothing: a redirect is to be followed, the handle is ready again.
  std::optional<Result<void>> hop_ended(CURLcode code);
  // Ends the exchange: gives the handler back, forgets the rest.
  port::HttpHandler finish();

  Id id() const { return id_; }
  CURL* easy() const { return easy_; }
  Millis timeout() const { return request_.timeout; }
  Millis idle_timeout() const { return request_.idle_timeout; }
  Tick last_activity() const { return last_activity_; }
  std::string_view lookup() const { return lookup_; }       // the name to be looked up; "" for an address
  std::string_view url() const { return request_.url; }
  ErrorClass unfinished_class() const;
  Error aborted() const;                                    // how it ends when its owner wants no more of it

  // Small chunks of a body that come together are handed over together. False: the handler wants no more.
  bool hand_over();

  // Backpressure: chunks that come while paused stay with libcurl.
  void pause(bool paused) { paused_ = paused; }
  bool paused() const { return paused_; }
  bool holds_back() const { return holding_ || !arrived_.empty(); }  // it must be told to go on
  bool go_on();                                             // not from inside libcurl; as hand_over()
  void stop(Error why) { stopped_ = std::move(why); }       // nothing more is handed over

  // What the owner keeps with it.
  Timers::Id whole_timer = 0, idle_timer = 0;
  Lane* lane = nullptr;  // that runs it; nullptr: it waits at a gate
  bool looking_up = false;
  std::string gate;  // the name whose gate it is in; owned, because a redirect changes the URL

 private:
  Result<void> set_up();
  Result<void> set_headers();
  void set_method();
  std::optional<Result<void>> follow();
  bool on_header(std::string_view line);
  bool on_head();
  std::size_t on_body(std::string_view chunk);
  bool give(std::string_view body);
  int on_open(curlsocktype purpose, curl_sockaddr* address);
  int on_request(const char* address);
  bool refuse(Error why);
  void touch();

  Surroundings& around_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> words_{};

  Id id_ = 0;
  port::HttpRequest request_;
  port::HttpHandler handler_;
  std::string_view lookup_;
  Tick last_activity_{};
  std::optional<Error> stopped_;
  int hops_ = 0;
  bool paused_ = false, holding_ = false;

  // Of one hop.
  port::HttpHead head_;
  std::size_t header_bytes_ = 0, body_bytes_ = 0;
  std::string arrived_;  // of the body, not handed over yet
  int requests_sent_ = 0;
  int socket_error_ = 0;
  bool head_done_ = false, following_ = false;
};

}  // namespace agentd::net
