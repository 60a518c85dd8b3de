#include "core/net/failure.hpp"

#include <string>
#include <system_error>

#include "core/net/url.hpp"

namespace agentd::net {
namespace {

std::string place(std::string_view url) {
  const auto found = origin(url);
  if (!found) return "the server";
  std::string text(found->authority);
  if (found->port.empty()) text += found->tls ? ":443" : ":80";
  return text;
}

std::string os_words(const Mishap& m) {
  if (m.os_error != 0) return std::generic_category().message(static_cast<int>(m.os_error));
  return std::string(m.detail.empty() ? std::string_view(curl_easy_strerror(m.code)) : m.detail);
}

}  // namespace

ErrorClass unfinished(bool sent, bool repeatable) { return sent && !repeatable ? ErrorClass::unknown_outcome : ErrorClass::retryable; }

Error explain(const Mishap& m) {
  const auto early = unfinished(m.sent, m.repeatable);
  switch (m.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: {
      const auto found = origin(m.url);
      return {ErrorClass::retryable, "could not find the address of \"" + std::string(found ? found->host : m.url) + "\": no such name, or the name server does not answer", {}};
    }
    case CURLE_COULDNT_CONNECT: return {ErrorClass::retryable, "could not connect to " + place(m.url) + ": " + os_words(m), {}};
    case CURLE_OPERATION_TIMEDOUT: return {early, "could not connect to " + place(m.url) + " in time", {}};  // only the connection has a timeout of libcurl's
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
      return {ErrorClass::terminal, "the certificate of " + place(m.url) + " was not accepted: " + std::string(m.detail), {}};
    case CURLE_SSL_CONNECT_ERROR: return {early, "no TLS connection to " + place(m.url) + ": " + std::string(m.detail), {}};
    case CURLE_GOT_NOTHING: return {early, place(m.url) + " closed the connection without an answer", {}};
    case CURLE_PARTIAL_FILE: return {early, place(m.url) + " closed the connection in the middle of its answer", {}};
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: return {early, "the connection to " + place(m.url) + " broke: " + os_words(m), {}};
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return {early, place(m.url) + " broke off its answer: " + std::string(m.detail), {}};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY: return {ErrorClass::terminal, place(m.url) + " answered with something that is not HTTP", {}};
    case CURLE_BAD_CONTENT_ENCODING: return {ErrorClass::terminal, "the answer of " + place(m.url) + " could not be decompressed", {}};
    case CURLE_URL_MALFORMAT: return {ErrorClass::terminal, "not a URL: " + std::string(m.detail), {}};
    case CURLE_OUT_OF_MEMORY: return {ErrorClass::retryable, "out of memory", {}};
    default: return {m.sent ? early : ErrorClass::terminal, place(m.url) + ": " + (m.detail.empty() ? std::string(curl_easy_strerror(m.code)) : std::string(m.detail)), {}};
  }
}

}  // namespace agentd::net
