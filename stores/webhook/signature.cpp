#include "signature.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <array>

namespace agentd::webhook {
namespace {

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

std::optional<std::string> key_of(std::string_view secret) {
  constexpr std::string_view kPrefix = "whsec_";
  if (!secret.starts_with(kPrefix)) return std::nullopt;
  secret.remove_prefix(kPrefix.size());
  if (secret.size() % 4 != 0 || secret.size() > 88) return std::nullopt;
  std::string key(secret.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(key.data()), bytes(secret), static_cast<int>(secret.size())) < 0) return std::nullopt;
  key.resize(key.size() - (secret.ends_with("==") ? 2 : secret.ends_with('=') ? 1 : 0));
  return key.size() >= 24 && key.size() <= 64 ? std::optional(key) : std::nullopt;
}

std::string signature(std::string_view key, std::string_view id, std::int64_t seconds, std::string_view body) {
  const auto message = std::string(id) + "." + std::to_string(seconds) + "." + std::string(body);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(message), message.size(), digest.data(), nullptr);
  std::array<unsigned char, 4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1> text{};
  const int size = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  return "v1," + std::string(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size));
}

}  // namespace agentd::webhook
