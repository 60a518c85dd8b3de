#include "host/cli/http.hpp"

#include <curl/curl.h>

#include <array>
#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <cstring>
#include <memory>

#include "host/cli/lines.hpp"
#include "host/version.hpp"

namespace agentd::cli {
namespace {

constexpr Millis kConnectTimeout{5'000};

struct Free {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, Free>;
using Headers = std::unique_ptr<curl_slist, Free>;
using OnLine = std::function<bool(std::string_view)>;

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// What comes back, as it comes.
struct Receiver {
  CURL* curl = nullptr;
  const OnLine* on_line = nullptr;  // null: the body is gathered
  Reply reply;
  std::string unread;               // of a stream: what is no whole line yet
  bool had_enough = false;

  long status() const {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
  }
};

std::size_t on_header(const char* data, std::size_t one, std::size_t size, void* to) {
  auto& reply = static_cast<Receiver*>(to)->reply;
  std::string_view line(data, one * size);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) reply.headers.clear();  // of an answer before this one, such as 100
  const auto colon = line.find(':');
  if (colon == line.npos) return one * size;
  auto value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  reply.headers[lower(line.substr(0, colon))] = std::string(value);
  return one * size;
}

std::size_t on_body(const char* data, std::size_t one, std::size_t size, void* to) {
  auto& receiver = *static_cast<Receiver*>(to);
  const std::string_view piece(data, one * size);
  if (!receiver.on_line || !receiver.reply.headers["content-type"].starts_with("text/event-stream")) {
    receiver.reply.body += piece;
    return piece.size();
  }
  receiver.unread += piece;
  receiver.had_enough = !take_lines(receiver.unread, *receiver.on_line);
  return receiver.had_enough ? 0 : piece.size();
}

std::string reason_of(CURLcode code, const Handle& curl) {
  long system_error = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_OS_ERRNO, &system_error);
  return code == CURLE_COULDNT_CONNECT && system_error != 0 ? std::strerror(static_cast<int>(system_error)) : curl_easy_strerror(code);
}

Error error_of(CURLcode code, const Handle& curl, const Receiver& receiver, const std::string& url, const char* words) {
  const auto told = [&](ErrorClass error_class, std::string text) { return fail(error_class, std::move(text)).error(); };
  if (code == CURLE_OPERATION_TIMEDOUT && receiver.status() == 0) {
    double connected = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_CONNECT_TIME, &connected);
    if (connected > 0) return told(ErrorClass::timeout, "no answer from " + url + " in time");
  }
  if (receiver.status() != 0) return told(ErrorClass::retryable, "the host at " + url + " broke off: " + reason_of(code, curl));
  if (code == CURLE_PEER_FAILED_VERIFICATION) return told(ErrorClass::retryable, "the certificate of " + url + " is not trusted: " + words + "; --cacert names the file of who signed it");
  if (code == CURLE_SSL_CONNECT_ERROR) return told(ErrorClass::retryable, "no TLS with the host at " + url + ": " + words + "; does it speak plain http?");
  if (code == CURLE_SSL_CACERT_BADFILE) return told(ErrorClass::terminal, std::string("--cacert: ") + words);
  return told(ErrorClass::retryable, "host not reachable at " + url + " (" + reason_of(code, curl) + "); is `agentd serve` running?");
}

std::string place_url(const Place& place, std::string_view target) {
  const bool v6 = place.host.find(':') != std::string::npos;
  return (place.is_secure ? "https://" : "http://") + (v6 ? "[" + place.host + "]" : place.host) + ":" + place.port + place.prefix + std::string(target);
}

}  // namespace

Result<Place> Place::of(std::string_view url) {
  const auto parsed = boost::urls::parse_uri({url.data(), url.size()});
  if (!parsed || parsed->host_address().empty()) return fail("\"" + std::string(url) + "\" is not a URL; try http://127.0.0.1:8765");
  const bool is_secure = parsed->scheme_id() == boost::urls::scheme::https;
  if (!is_secure && parsed->scheme_id() != boost::urls::scheme::http) return fail("\"" + std::string(url) + "\" does not begin with http:// or https://");
  if (parsed->has_userinfo()) return fail("the URL names a user; a token is given with --token or AGENTD_API_TOKEN");
  Place place{std::string(parsed->host_address()), parsed->port().empty() ? is_secure ? "443" : "80" : std::string(parsed->port()), std::string(parsed->encoded_path()), is_secure};
  while (place.prefix.ends_with('/')) place.prefix.pop_back();
  return place;
}

// One exchange. extra: header lines. timeout: between two signs of life from the host.
Result<Reply> Http::perform(std::string_view method, std::string_view target, const std::string* body, const std::vector<std::string>& extra, Millis timeout, const OnLine* on_line) const {
  const Handle curl(curl_easy_init());
  if (!curl) return fail("no HTTP client could be made");
  Receiver receiver{.curl = curl.get(), .on_line = on_line, .reply = {}, .unread = {}};
  Headers headers;
  const auto add = [&headers](const std::string& line) { headers.reset(curl_slist_append(headers.release(), line.c_str())); };
  for (const auto& line : extra) add(line);
  add("Expect:");
  if (!token_.empty()) add("Authorization: Bearer " + token_);
  const auto set = [&curl](CURLoption option, auto value) { curl_easy_setopt(curl.get(), option, value); };
  std::array<char, CURL_ERROR_SIZE> words{};
  const std::string verb(method), address = place_url(place_, target), agent = std::string("agentd/") + kVersion;
  set(CURLOPT_URL, address.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_CUSTOMREQUEST, verb.c_str());
  set(CURLOPT_USERAGENT, agent.c_str());
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, words.data());
  set(CURLOPT_CONNECTTIMEOUT_MS, long{kConnectTimeout.count()});
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, std::chrono::ceil<std::chrono::seconds>(timeout).count());
  if (const auto& host = place_.host; host == "localhost" || host == "::1" || host.starts_with("127.")) set(CURLOPT_PROXY, "");
  if (!ca_file_.empty()) set(CURLOPT_CAINFO, ca_file_.c_str());
  if (body) {
    set(CURLOPT_POSTFIELDS, body->c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
  }
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, &receiver);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, &receiver);
  const auto code = curl_easy_perform(curl.get());
  receiver.reply.status = static_cast<int>(receiver.status());
  if (code != CURLE_OK && !receiver.had_enough) return std::unexpected(error_of(code, curl, receiver, url_, words.data()));
  return std::move(receiver.reply);
}

Result<Reply> Http::exchange(std::string_view method, std::string_view target, std::string body, Millis timeout, std::string_view content_type) const {
  std::vector<std::string> headers;
  if (!body.empty()) headers.push_back("Content-Type: " + std::string(content_type));
  const bool has_body = !body.empty() || method == "POST" || method == "PATCH";
  return perform(method, target, has_body ? &body : nullptr, headers, timeout, nullptr);
}

Result<Reply> Http::stream(std::string_view target, std::string_view last_event_id, Millis idle, const OnLine& on_line) const {
  std::vector<std::string> headers = {"Accept: text/event-stream"};
  if (!last_event_id.empty()) headers.push_back("Last-Event-ID: " + std::string(last_event_id));
  return perform("GET", target, nullptr, headers, idle, &on_line);
}

std::string percent_encode(std::string_view text) { return boost::urls::encode({text.data(), text.size()}, boost::urls::unreserved_chars); }

}  // namespace agentd::cli
