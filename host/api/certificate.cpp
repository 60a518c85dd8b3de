#include "host/api/certificate.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "core/base/file.hpp"

namespace agentd::api {
namespace ssl = boost::asio::ssl;
namespace {

constexpr Millis kBetweenLooks{1'000};
constexpr std::size_t kLargest = 1 << 20;  // bytes of a file

// HTTP/1.1 is all that is spoken here (RFC 7301).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered, unsigned int size, void*) {
  static constexpr unsigned char kSpoken[] = "\x08http/1.1";
  auto* out = const_cast<unsigned char*>(*chosen);
  const bool agreed = SSL_select_next_proto(&out, length, kSpoken, sizeof kSpoken - 1, offered, size) == OPENSSL_NPN_NEGOTIATED;
  *chosen = out;
  return agreed ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

Result<Certificate::Context> load(const std::string& chain_file, const std::string& key_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  ERR_clear_error();
  auto* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);
  context->set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); });  // no terminal is asked
  const auto chain = read_regular_file(chain_file, kLargest), key = read_regular_file(key_file, kLargest);  // a pipe would keep the engine waiting
  for (const auto* file : {&chain, &key})
    if (!*file) return std::unexpected(file->error());
  boost::system::error_code error;
  context->use_certificate_chain(boost::asio::buffer(*chain), error);
  if (error) return fail("the certificate " + chain_file + " cannot be used: " + error.message());
  context->use_private_key(boost::asio::buffer(*key), ssl::context::pem, error);
  if (error) return fail("the key " + key_file + " cannot be used: " + error.message());
  if (SSL_CTX_check_private_key(native) != 1) return fail("the key " + key_file + " is not that of the certificate " + chain_file);
  return context;
}

}  // namespace

Result<std::unique_ptr<Certificate>> Certificate::open(std::string chain_file, std::string key_file) {
  auto made = std::unique_ptr<Certificate>(new Certificate(std::move(chain_file), std::move(key_file)));
  for (const auto* file : {&made->chain_file_, &made->key_file_}) {
    struct stat seen {};
    if (::stat(file->c_str(), &seen) != 0) return fail(*file + ": " + std::strerror(errno));
  }
  made->version_ = made->version();
  auto context = load(made->chain_file_, made->key_file_);
  if (!context) return std::unexpected(context.error());
  made->context_ = std::move(*context);
  return made;
}

// Of both files: whatever replaces one changes it.
std::string Certificate::version() const {
  std::string text;
  for (const auto* file : {&chain_file_, &key_file_}) {
    struct stat seen {};
    if (::stat(file->c_str(), &seen) != 0) return {};
    for (const auto part : {static_cast<long long>(seen.st_ino), static_cast<long long>(seen.st_size), static_cast<long long>(seen.st_mtim.tv_sec), static_cast<long long>(seen.st_mtim.tv_nsec)})
      text += std::to_string(part) + ' ';
  }
  return text;
}

const Certificate::Context& Certificate::current(Tick now, const std::function<void(const std::string&)>& warn) {
  if (now - looked_ < kBetweenLooks) return context_;
  looked_ = now;
  auto version = this->version();
  if (version == version_) return context_;
  version_ = std::move(version);
  auto fresh = load(chain_file_, key_file_);
  if (fresh) context_ = std::move(*fresh);
  else if (warn) warn(fresh.error().message + "; the one before it serves on");
  return context_;
}

}  // namespace agentd::api
