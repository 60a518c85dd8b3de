// The certificate that the server shows, as its files are now.
#pragma once
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace agentd::api {

// The engine thread only.
class Certificate {
 public:
  using Context = std::shared_ptr<boost::asio::ssl::context>;  // shared: connections that began with it keep it

  // PEM files: the chain, the leaf first, and its private key without a passphrase.
  static Result<std::unique_ptr<Certificate>> open(std::string chain_file, std::string key_file);

  // For a connection that begins now. Looks at the files at most once a second; while what is there cannot be used the last good one
  // stays, and `warn` is told so once.
  const Context& current(Tick now, const std::function<void(const std::string&)>& warn);

 private:
  Certificate(std::string chain_file, std::string key_file) : chain_file_(std::move(chain_file)), key_file_(std::move(key_file)) {}
  std::string version() const;

  const std::string chain_file_, key_file_;
  std::string version_;
  Context context_;
  Tick looked_{};
};

}  // namespace agentd::api
