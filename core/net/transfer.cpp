#include "core/net/transfer.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "core/net/address.hpp"
#include "core/net/failure.hpp"

namespace agentd::net {
namespace {

constexpr std::size_t kMaxHeaderBytes = 64 << 10;
constexpr std::size_t kMaxHeaderLines = 200;
constexpr std::size_t kMaxRedirectBody = 64 << 10;
constexpr std::size_t kFewBytes = 4 << 10;  // of a body: up to so many wait for what comes with them
constexpr long kReceiveBytes = 4 << 10;  // per transfer in flight, of which there may be ten thousand
constexpr long kSendBytes = 16 << 10;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_token(std::string_view text) {  // RFC 9110, 5.6.2
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || std::strchr("!#$%&'*+-.^_`|~", c);
  };
  return !text.empty() && std::ranges::all_of(text, [&](char c) { return c != 0 && allowed(c); });
}

bool is_header_value(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7f; });
}

bool is_repeatable(std::string_view method) { return method != "POST" && method != "PATCH"; }
bool is_redirect(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

bool frames_the_message(std::string_view name) {
  return name == "content-length" || name == "transfer-encoding" || name == "connection" || name == "upgrade" || name == "te" || name == "expect" || name == "trailer";
}

bool cannot_hold_a_secret(std::string_view name) { return name == "accept" || name == "accept-language" || name == "user-agent" || name == "content-type"; }

const std::string* find_header(const port::HttpHead& head, std::string_view name) {
  const auto found = std::ranges::find(head.headers, name, [](const auto& header) -> std::string_view { return header.first; });
  return found == head.headers.end() ? nullptr : &found->second;
}

Error too_large(std::uint64_t bound) { return {ErrorClass::terminal, "the answer is longer than the " + format_size(bound) + " that are allowed", {}}; }

}  // namespace

Transfer::Transfer(Surroundings& around) : around_(around), easy_(curl_easy_init()) {
  if (!easy_) std::abort();  // out of memory at the start of a transfer
  const auto set = [this](CURLoption option, auto value) { curl_easy_setopt(easy_, option, value); };
  const auto& settings = around_.settings;
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_PROXY, settings.proxy.c_str());  // "" also keeps libcurl from reading the environment
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_USERAGENT, settings.user_agent.c_str());
  if (!settings.ca_file.empty()) set(CURLOPT_CAINFO, settings.ca_file.c_str());
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout.count()));
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(CURLOPT_ACCEPT_ENCODING, "");
  set(CURLOPT_BUFFERSIZE, kReceiveBytes);
  set(CURLOPT_UPLOAD_BUFFERSIZE, kSendBytes);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_ERRORBUFFER, words_.data());

  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_HEADERFUNCTION, +[](char* data, std::size_t, std::size_t n, void* self) -> std::size_t {
    return static_cast<Transfer*>(self)->on_header({data, n}) ? n : CURL_WRITEFUNC_ERROR;
  });
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_WRITEFUNCTION, +[](char* data, std::size_t, std::size_t n, void* self) -> std::size_t { return static_cast<Transfer*>(self)->on_body({data, n}); });
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, +[](void* self, curlsocktype purpose, curl_sockaddr* address) -> curl_socket_t {
    return static_cast<Transfer*>(self)->on_open(purpose, address);
  });
  set(CURLOPT_CLOSESOCKETDATA, &around_.sockets);  // a connection outlives the transfer that opened it
  set(CURLOPT_CLOSESOCKETFUNCTION, +[](void* sockets, curl_socket_t fd) -> int {
    static_cast<SocketSet*>(sockets)->closed(fd);
    return ::close(fd);
  });
  set(CURLOPT_PREREQDATA, this);
  set(CURLOPT_PREREQFUNCTION, +[](void* self, char* address, char*, int, int) -> int { return static_cast<Transfer*>(self)->on_request(address); });
}

Transfer::~Transfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

Result<void> Transfer::prepare(Id id, port::HttpRequest request, port::HttpHandler handler) {
  id_ = id;
  request_ = std::move(request);
  handler_ = std::move(handler);
  hops_ = 0;
  if (request_.public_only && !around_.settings.proxy.empty()) return fail(ErrorClass::policy, "a request to public addresses only cannot go through a proxy, which would hide the address");
  if (!is_token(request_.method)) return fail("\"" + request_.method + "\" is not an HTTP method");
  if (request_.method == "HEAD" && !request_.body.empty()) return fail("a HEAD request has no body");
  return set_up();
}

Result<void> Transfer::set_up() {
  head_ = {};
  header_bytes_ = body_bytes_ = 0;
  requests_sent_ = socket_error_ = 0;
  head_done_ = following_ = holding_ = false;
  words_[0] = 0;
  const auto target = origin(request_.url);
  if (!target) return std::unexpected(target.error());
  lookup_ = target->is_name ? target->host : std::string_view();
  if (auto set = set_headers(); !set) return set;
  set_method();
  curl_easy_setopt(easy_, CURLOPT_URL, request_.url.c_str());
  // Over TLS the handshake tells whether the server speaks HTTP/2, so it pays to wait for that; without TLS only an answer would.
  curl_easy_setopt(easy_, CURLOPT_PIPEWAIT, target->tls ? 1L : 0L);
  touch();
  return {};
}

Result<void> Transfer::set_headers() {
  curl_slist_free_all(std::exchange(headers_, nullptr));
  bool has_type = false;
  std::string line;
  const auto append = [&] {
    curl_slist* longer = curl_slist_append(headers_, line.c_str());
    if (!longer) std::abort();
    headers_ = longer;
  };
  for (const auto& [name, value] : request_.headers) {
    const auto key = lower(name);
    if (!is_token(name)) return fail("\"" + name + "\" is not a header's name");
    if (!is_header_value(value)) return fail("the header " + name + " has a line break or a control character in its value");
    if (frames_the_message(key)) return fail("the header " + name + " is set by the client itself");
    has_type |= key == "content-type";
    const auto text = trimmed(value);
    line.assign(name);
    if (text.empty()) line += ';';  // libcurl's way to say an empty value
    else line.append(": ").append(text);
    append();
  }
  if (!request_.body.empty() || request_.method == "POST") {
    line = "Expect:";  // no 100-continue: it costs a round trip
    append();
    if (!has_type) {
      line = "Content-Type:";
      append();
    }
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  return {};
}

void Transfer::set_method() {
  const auto& method = request_.method;
  const bool with_body = !request_.body.empty() || method == "POST";
  if (with_body) {
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body.data());
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  } else {
    curl_easy_setopt(easy_, CURLOPT_HTTPGET, 1L);
    if (method == "HEAD") curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  }
  const bool says_it_itself = with_body ? method == "POST" : method == "GET" || method == "HEAD";
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, says_it_itself ? nullptr : method.c_str());
}

std::optional<Result<void>> Transfer::hop_ended(CURLcode code) {
  give(std::exchange(arrived_, {}));
  if (stopped_) return std::unexpected(std::move(*stopped_));
  if (code == CURLE_OK && following_) return follow();
  if (code == CURLE_OK && head_done_) return Result<void>();
  long os_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
  if (socket_error_ != 0) os_error = socket_error_;
  return std::unexpected(explain({.code = code == CURLE_OK ? CURLE_PARTIAL_FILE : code,  // closed within its headers
                                  .os_error = os_error,
                                  .detail = words_.data(),
                                  .url = request_.url,
                                  .sent = requests_sent_ > 0,
                                  .repeatable = is_repeatable(request_.method)}));
}

std::optional<Result<void>> Transfer::follow() {
  if (hops_ >= request_.max_redirects) return fail("more than " + std::to_string(request_.max_redirects) + " redirects, the last one from " + std::string(origin(request_.url)->authority));
  ++hops_;
  char* to = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &to);
  if (!to) return fail("a redirect names a place that is not a URL");
  std::string next = to;
  const auto from = origin(request_.url);
  const auto target = origin(next);
  if (!target) return fail("redirected to where it may not go: " + target.error().message);
  if (head_.status == 303 || ((head_.status == 301 || head_.status == 302) && request_.method == "POST")) {  // RFC 9110, 15.4
    if (request_.method != "HEAD") request_.method = "GET";
    request_.body.clear();
    std::erase_if(request_.headers, [](const auto& header) { return lower(header.first) == "content-type"; });
  }
  if (!from || !same_origin(*from, *target)) std::erase_if(request_.headers, [](const auto& header) { return !cannot_hold_a_secret(lower(header.first)); });
  request_.url = std::move(next);
  if (auto ready = set_up(); !ready) return ready;
  return std::nullopt;
}

port::HttpHandler Transfer::finish() {
  auto handler = std::move(handler_);
  handler_ = {};
  request_ = {};
  head_ = {};
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, nullptr);  // what it points to goes
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, nullptr);
  curl_slist_free_all(std::exchange(headers_, nullptr));
  stopped_.reset();
  paused_ = holding_ = false;
  arrived_.clear();
  id_ = 0;
  lane = nullptr;
  return handler;
}

ErrorClass Transfer::unfinished_class() const { return unfinished(requests_sent_ > 0, is_repeatable(request_.method)); }

Error Transfer::aborted() const {
  if (unfinished_class() == ErrorClass::unknown_outcome) return {ErrorClass::unknown_outcome, "aborted after the request was sent", {}};
  return {ErrorClass::terminal, "aborted", {}};
}

bool Transfer::hand_over() {
  if (paused_ || arrived_.empty()) return true;
  const bool wanted = give(arrived_);
  arrived_.clear();
  return wanted;
}

bool Transfer::go_on() {
  if (!hand_over()) return false;
  if (!paused_ && std::exchange(holding_, false)) curl_easy_pause(easy_, CURLPAUSE_CONT);
  return true;
}

void Transfer::touch() {
  if (request_.idle_timeout > Millis(0)) last_activity_ = around_.clock.tick();
}

bool Transfer::refuse(Error why) {
  if (!stopped_) stopped_ = std::move(why);
  return false;
}

bool Transfer::on_header(std::string_view line) {
  touch();
  if (stopped_) return false;
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes || head_.headers.size() >= kMaxHeaderLines)
    return refuse({ErrorClass::terminal, "the answer's headers are longer than " + format_size(kMaxHeaderBytes) + " or " + std::to_string(kMaxHeaderLines) + " lines", {}});
  if (head_done_) return true;  // trailers
  if (line.starts_with("HTTP/")) {
    head_ = {};
    const auto at = line.find(' ');
    if (at != line.npos) std::from_chars(line.data() + at + 1, line.data() + line.size(), head_.status);
    return true;
  }
  if (const auto text = trimmed(line); text.empty()) return on_head();
  const auto colon = line.find(':');
  if (colon == line.npos || colon == 0) return true;
  head_.headers.emplace_back(lower(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
  return true;
}

bool Transfer::on_head() {
  if (head_.status < 200) return true;  // an interim answer: the real one follows
  head_done_ = true;
  if (request_.max_redirects > 0 && is_redirect(head_.status) && find_header(head_, "location")) {
    following_ = true;
    return true;
  }
  const auto* length = find_header(head_, "content-length");
  std::uint64_t bytes = 0;
  if (length && std::from_chars(length->data(), length->data() + length->size(), bytes).ec == std::errc() && bytes > request_.max_response_bytes && request_.method != "HEAD")
    return refuse(too_large(request_.max_response_bytes));
  head_.url = request_.url;
  if (handler_.head && !handler_.head(head_)) return refuse(aborted());
  return true;
}

std::size_t Transfer::on_body(std::string_view chunk) {
  if (arrived_.size() + chunk.size() > kFewBytes && !hand_over()) return CURL_WRITEFUNC_ERROR;
  if (stopped_) return CURL_WRITEFUNC_ERROR;
  if (paused_) {
    holding_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  touch();
  body_bytes_ += chunk.size();
  if (following_) {
    if (body_bytes_ > kMaxRedirectBody) refuse({ErrorClass::terminal, "a redirect has a body of more than " + format_size(kMaxRedirectBody), {}});
    return stopped_ ? CURL_WRITEFUNC_ERROR : chunk.size();
  }
  if (body_bytes_ > request_.max_response_bytes) {
    refuse(too_large(request_.max_response_bytes));
    return CURL_WRITEFUNC_ERROR;
  }
  if (chunk.size() > kFewBytes) return give(chunk) ? chunk.size() : CURL_WRITEFUNC_ERROR;
  if (arrived_.empty()) around_.body_arrived(*this);
  arrived_ += chunk;
  return chunk.size();
}

bool Transfer::give(std::string_view body) {
  if (stopped_) return false;
  return body.empty() || !handler_.body || handler_.body(body) || refuse(aborted());
}

int Transfer::on_open(curlsocktype purpose, curl_sockaddr* address) {
  around_.name_known(*this);
  if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKET_BAD;
  if (request_.public_only && !is_public(&address->addr)) {
    refuse({ErrorClass::policy, "refused to connect to " + to_text(&address->addr) + " for " + request_.url.substr(0, 200) + ": it is not a public address", {}});
    return CURL_SOCKET_BAD;
  }
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
  if (fd < 0) {
    socket_error_ = errno;
    return CURL_SOCKET_BAD;
  }
  around_.sockets.opened(fd);
  return fd;
}

// Just before the request goes out, on a new connection or a pooled one, which may have been opened for a request with fewer rules.
int Transfer::on_request(const char* address) {
  around_.name_known(*this);
  if (stopped_) return CURL_PREREQFUNC_ABORT;
  if (request_.public_only && !is_public(std::string_view(address))) {
    refuse({ErrorClass::policy, "refused to use a connection to " + std::string(address) + ": it is not a public address", {}});
    return CURL_PREREQFUNC_ABORT;
  }
  if (requests_sent_ > 0 && !is_repeatable(request_.method)) {  // libcurl repeats a request whose pooled connection died
    refuse({ErrorClass::unknown_outcome, "the connection was closed after the request was sent, before an answer came", {}});
    return CURL_PREREQFUNC_ABORT;
  }
  ++requests_sent_;
  return CURL_PREREQFUNC_OK;
}

}  // namespace agentd::net
