// TLS over a socket of ours. OpenSSL works on buffers alone, so that deadlines stay the socket's and nothing raises SIGPIPE.
#pragma once
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "settings.hpp"
#include "socket.hpp"

namespace agentd::redis {

// Whom to trust and who we are. Throws sdk::Error that names the file at fault. Shared by connections, any thread.
class TlsContext {
 public:
  explicit TlsContext(const Settings& settings);
  SSL_CTX* get() const { return context_.get(); }

 private:
  std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)> context_;
};

// One thread at a time; socket and context outlive it. The server has to show a certificate for `host` that the context trusts: throws
// sdk::Error when it does not, Lost when the connection ends.
class Tls {
 public:
  Tls(Socket& socket, const TlsContext& context, const std::string& host, Deadline until);
  void send(std::string_view bytes, Deadline until);
  std::size_t receive(char* to, std::size_t most, Deadline until);

 private:
  void shake_hands(const std::string& host, Deadline until);
  void flush(Deadline until);  // what OpenSSL wants to send
  void feed(Deadline until);   // what it wants to read
  // Of a step that did not get through: exchanges bytes so that it can be tried again, or throws.
  void go_on(int result, Deadline until);

  Socket& socket_;
  std::unique_ptr<SSL, decltype(&::SSL_free)> ssl_;
  BIO *in_, *out_;  // ssl_'s
};

}  // namespace agentd::redis
