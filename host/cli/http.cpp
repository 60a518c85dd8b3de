#include "host/cli/http.hpp"

#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <charconv>
#include <cstdint>

#include "core/base/real_world.hpp"
#include "core/net/client.hpp"
#include "host/cli/lines.hpp"
#include "host/version.hpp"

namespace agentd::cli {
namespace {

constexpr Millis kConnectTimeout{5'000};
constexpr Millis kNever = std::chrono::days(3650);   // a stream goes on for as long as somebody listens
constexpr std::uint64_t kAnyLength = 1ULL << 62;

using OnLine = std::function<bool(std::string_view)>;

// What comes back, as it comes.
struct Receiver {
  const OnLine* on_line = nullptr;  // null: the body is gathered
  Reply reply;
  std::string unread;               // of a stream: what is no whole line yet
  bool had_enough = false;

  bool take_head(const port::HttpHead& head) {
    reply.status = head.status;
    for (const auto& [name, value] : head.headers) reply.headers[name] = value;
    return true;
  }
  bool take_body(std::string_view piece) {
    const bool streams = on_line && reply.headers["content-type"].starts_with("text/event-stream");
    (streams ? unread : reply.body) += piece;
    had_enough = streams && !take_lines(unread, *on_line);
    return !had_enough;
  }
};

Error explain(const Error& error, const Receiver& receiver, bool only_reads, bool is_secure, const std::string& url) {
  const auto told = [](ErrorClass error_class, std::string text) { return fail(error_class, std::move(text)).error(); };
  const bool unknown = error.error_class == ErrorClass::unknown_outcome;
  if (receiver.reply.status != 0 || (unknown && only_reads)) return told(ErrorClass::retryable, "the host at " + url + " broke off: " + error.message);
  if (unknown) return told(error.error_class, "no answer from " + url + " (" + error.message + "): whether it was done is not known; look before you ask again");
  const char* hint = !is_secure                                   ? "is `agentd serve` running? --url or AGENTD_URL says where"
                     : error.error_class == ErrorClass::terminal ? "--cacert names the file of who signed its certificate"
                                                                  : "is `agentd serve` running there, with [api] tls?";
  return told(ErrorClass::retryable, "host not reachable at " + url + " (" + error.message + "); " + hint);
}

bool is_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return read.ec == std::errc() && read.ptr == digits.data() + digits.size() && port > 0;
}

std::string address_of(const Place& place, std::string_view target) {
  const bool v6 = place.host.find(':') != std::string::npos;
  return (place.is_secure ? "https://" : "http://") + (v6 ? "[" + place.host + "]" : place.host) + ":" + place.port + place.prefix + std::string(target);
}

}  // namespace

Result<Place> Place::of(std::string_view url) {
  const auto parsed = boost::urls::parse_uri({url.data(), url.size()});
  if (!parsed || parsed->host_address().empty()) return fail("\"" + std::string(url) + "\" is not a URL; try http://127.0.0.1:8765");
  const bool is_secure = parsed->scheme_id() == boost::urls::scheme::https;
  if (!is_secure && parsed->scheme_id() != boost::urls::scheme::http) return fail("\"" + std::string(url) + "\" does not begin with http:// or https://");
  if (!parsed->port().empty() && !is_port(parsed->port())) return fail("\"" + std::string(url) + "\" has a port that is none: 1 to 65535");
  if (parsed->has_query() || parsed->has_fragment()) return fail("\"" + std::string(url) + "\" has more than the place where the host is: leave out what begins with ? or #");
  if (parsed->has_userinfo()) return fail("the URL names a user; a token is given with --token or AGENTD_API_TOKEN");
  Place place{std::string(parsed->host_address()), parsed->port().empty() ? is_secure ? "443" : "80" : std::string(parsed->port()), std::string(parsed->encoded_path()), is_secure};
  while (place.prefix.ends_with('/')) place.prefix.pop_back();
  return place;
}

// One exchange. timeout: between two signs of life from the host.
Result<Reply> Http::perform(port::HttpRequest request, Millis timeout, const OnLine* on_line) const {
  boost::asio::io_context io(1);
  SystemClock clock;
  AsioTimers timers(io);
  SystemRandom random;
  net::Client client(World{io.get_executor(), clock, timers, random}, net::Settings{.user_agent = std::string("agentd/") + kVersion, .proxy = {}, .ca_file = ca_file_, .connect_timeout = kConnectTimeout});
  const bool only_reads = request.method == "GET";
  request.timeout = kNever;
  request.idle_timeout = timeout;
  request.max_response_bytes = kAnyLength;
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  Receiver receiver{.on_line = on_line, .reply = {}, .unread = {}};
  Result<void> ended;
  client.start(std::move(request), {.head = [&](const port::HttpHead& head) { return receiver.take_head(head); },
                                    .body = [&](std::string_view piece) { return receiver.take_body(piece); },
                                    .end = [&](Result<void> result) { ended = std::move(result), io.stop(); }});
  const auto until_the_end = boost::asio::make_work_guard(io);
  io.run();
  if (!ended && !receiver.had_enough) return std::unexpected(explain(ended.error(), receiver, only_reads, place_.is_secure, url_));
  return std::move(receiver.reply);
}

Result<Reply> Http::exchange(std::string_view method, std::string_view target, std::string body, Millis timeout, std::string_view content_type) const {
  port::HttpRequest request{.method = std::string(method), .url = address_of(place_, target), .headers = {}, .body = std::move(body)};
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", content_type);
  return perform(std::move(request), timeout, nullptr);
}

Result<Reply> Http::stream(std::string_view target, std::string_view last_event_id, Millis idle, const OnLine& on_line) const {
  port::HttpRequest request{.url = address_of(place_, target), .headers = {{"Accept", "text/event-stream"}}, .body = {}};
  if (!last_event_id.empty()) request.headers.emplace_back("Last-Event-ID", last_event_id);
  return perform(std::move(request), idle, &on_line);
}

std::string percent_encode(std::string_view text) { return boost::urls::encode({text.data(), text.size()}, boost::urls::unreserved_chars); }

}  // namespace agentd::cli
