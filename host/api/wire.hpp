// The bytes of a connection, in the clear or over TLS.
#pragma once
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <optional>

#include "host/api/certificate.hpp"

namespace agentd::api {

// A stream as Asio and Beast want one. What ends it, a timeout or close, ends everything under way on it.
class Wire {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;

  // certificate: null for bytes in the clear.
  Wire(boost::asio::ip::tcp::socket socket, Certificate::Context certificate) : certificate_(std::move(certificate)), tcp_(std::move(socket)) {
    if (certificate_) tls_.emplace(tcp_, *certificate_);
  }

  executor_type get_executor() { return tcp_.get_executor(); }
  boost::beast::tcp_stream& tcp() { return tcp_; }
  bool is_secure() const { return tls_.has_value(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (tls_) return tls_->async_read_some(buffers, std::forward<Token>(token));
    return tcp_.async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (tls_) return tls_->async_write_some(buffers, std::forward<Token>(token));
    return tcp_.async_write_some(buffers, std::forward<Token>(token));
  }
  // Of a secure one.
  template <class Token>
  auto async_handshake(Token&& token) {
    return tls_->async_handshake(boost::asio::ssl::stream_base::server, std::forward<Token>(token));
  }
  template <class Token>
  auto async_shutdown(Token&& token) {
    return tls_->async_shutdown(std::forward<Token>(token));
  }

 private:
  Certificate::Context certificate_;
  boost::beast::tcp_stream tcp_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> tls_;
};

}  // namespace agentd::api
