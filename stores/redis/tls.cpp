#include "tls.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <new>

namespace agentd::redis {
namespace {

// The last reason of this thread, taken off its queue.
std::string reason() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const char* text = ERR_reason_error_string(code);
  return text ? text : "for no known reason";
}

[[noreturn]] void fail(const char* setting, const sdk::Path& file) { throw sdk::Error(std::string(setting) + ": " + file.text() + ": " + reason()); }

bool is_address(const std::string& host) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
  ASN1_OCTET_STRING_free(address);
  ERR_clear_error();
  return address != nullptr;
}

}  // namespace

TlsContext::TlsContext(const Settings& settings) : context_(SSL_CTX_new(TLS_client_method()), &::SSL_CTX_free) {
  if (!context_) throw std::bad_alloc();
  auto* const context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (settings.ca_file.empty()) SSL_CTX_set_default_verify_paths(context);
  else if (SSL_CTX_load_verify_locations(context, settings.ca_file.text().c_str(), nullptr) != 1) fail("ca_file", settings.ca_file);
  if (settings.cert_file.empty()) return;
  if (SSL_CTX_use_certificate_chain_file(context, settings.cert_file.text().c_str()) != 1) fail("cert_file", settings.cert_file);
  if (SSL_CTX_use_PrivateKey_file(context, settings.key_file.text().c_str(), SSL_FILETYPE_PEM) != 1) fail("key_file", settings.key_file);
}

Tls::Tls(Socket& socket, const TlsContext& context, const std::string& host, Deadline until)
    : socket_(socket), ssl_(SSL_new(context.get()), &::SSL_free), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
  if (!ssl_ || !in_ || !out_) throw std::bad_alloc();
  SSL_set_bio(ssl_.get(), in_, out_);
  shake_hands(host, until);
}

void Tls::shake_hands(const std::string& host, Deadline until) {
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str());
  } else {
    SSL_set1_host(ssl_.get(), host.c_str());
    SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
  }
  for (int done = 0; (done = SSL_connect(ssl_.get())) != 1;) go_on(done, until);
  flush(until);
}

void Tls::flush(Deadline until) {
  std::array<char, 16 << 10> bytes;
  for (int size = 0; (size = BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()))) > 0;) socket_.send({bytes.data(), static_cast<std::size_t>(size)}, until);
}

void Tls::feed(Deadline until) {
  std::array<char, 16 << 10> bytes;
  const auto size = socket_.receive(bytes.data(), bytes.size(), until);
  BIO_write(in_, bytes.data(), static_cast<int>(size));
}

void Tls::go_on(int result, Deadline until) {
  const int error = SSL_get_error(ssl_.get(), result);
  const long verdict = SSL_get_verify_result(ssl_.get());
  const auto why = verdict != X509_V_OK ? std::string("the server's certificate: ") + X509_verify_cert_error_string(verdict) : "";
  if (error == SSL_ERROR_WANT_READ) {
    flush(until);
    feed(until);
  } else if (error == SSL_ERROR_ZERO_RETURN) {
    throw Lost("the server closed the connection");
  } else {
    const auto text = why.empty() ? reason() : why;
    ERR_clear_error();
    throw sdk::Error("TLS: " + text);
  }
}

void Tls::send(std::string_view bytes, Deadline until) {
  constexpr std::size_t kPiece = 64 << 10;  // so that what waits to be sent does not become a second copy of it all
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, kPiece);
    for (int done = 0; (done = SSL_write(ssl_.get(), piece.data(), static_cast<int>(piece.size()))) <= 0;) go_on(done, until);
    flush(until);
    bytes.remove_prefix(piece.size());
  }
}

std::size_t Tls::receive(char* to, std::size_t most, Deadline until) {
  int got = 0;
  while ((got = SSL_read(ssl_.get(), to, static_cast<int>(most))) <= 0) go_on(got, until);
  return static_cast<std::size_t>(got);
}

}  // namespace agentd::redis
