#include "host/api/hook_proof.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>

namespace agentd::api {
namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

const unsigned char* raw_bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Digest hmac_sha256(std::string_view key, std::string_view message) {
  Digest digest{};
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), raw_bytes(message), message.size(), digest.data(), nullptr);
  return digest;
}

// Lengths are no secret.
bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hex(const Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const auto byte : digest) (text += kDigits[byte >> 4]) += kDigits[byte & 15];
  return text;
}

std::string base64(const Digest& digest) {
  std::array<unsigned char, 4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1> text{};
  const int size = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size)};
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 4096) return std::nullopt;
  std::string decoded(text.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()), raw_bytes(text), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  decoded.resize(static_cast<std::size_t>(size) - (text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0));
  return decoded;
}

std::optional<std::string> standard_key(std::string_view secret) {
  constexpr std::string_view kPrefix = "whsec_";
  if (secret.starts_with(kPrefix)) secret.remove_prefix(kPrefix.size());
  return from_base64(secret);
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Several are there while the sender changes its secret; those of other versions are for others.
bool has_signature(std::string_view signatures, std::string_view wanted) {
  bool found = false;
  while (!signatures.empty()) {
    const auto end = std::min(signatures.find(' '), signatures.size());
    const auto one = signatures.substr(0, end);
    if (one.starts_with("v1,") && same(one.substr(3), wanted)) found = true;
    signatures.remove_prefix(std::min(end + 1, signatures.size()));
  }
  return found;
}

Result<Delivery> prove_standard(std::string_view secret, const Request& request, Instant now) {
  const auto id = request.header("webhook-id"), timestamp = request.header("webhook-timestamp"),
             signatures = request.header("webhook-signature");
  if (id.empty() || timestamp.empty() || signatures.empty())
    return fail("webhook-id, webhook-timestamp and webhook-signature are needed");
  const auto key = standard_key(secret);
  if (!key) return fail("the secret on this side cannot be used");
  if (!has_signature(signatures, base64(hmac_sha256(*key, id + "." + timestamp + "." + request.body))))
    return fail("the signature does not fit");
  const auto sent = whole_number(timestamp);
  const auto now_s = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (!sent || *sent < now_s - kHookWindow.count() || *sent > now_s + kHookWindow.count())
    return fail("webhook-timestamp is more than 5 minutes away from now");
  return Delivery{id, {}};
}

Result<Delivery> prove_github(std::string_view secret, const Request& request) {
  const auto signature = request.header("x-hub-signature-256");
  if (signature.empty()) return fail("X-Hub-Signature-256 is needed");
  if (!same(signature, "sha256=" + hex(hmac_sha256(secret, request.body)))) return fail("the signature does not fit");
  return Delivery{request.header("x-github-delivery"), request.header("x-github-event")};
}

Result<Delivery> prove_bearer(std::string_view secret, const Request& request) {
  const auto authorization = request.header("authorization");
  constexpr std::string_view kScheme = "bearer ";
  const auto scheme = std::string_view(authorization).substr(0, kScheme.size());
  const bool is_bearer =
      std::ranges::equal(scheme, kScheme, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
  if (!is_bearer) return fail("Authorization: Bearer is needed");
  const auto token = std::string_view(authorization).substr(kScheme.size());
  if (CRYPTO_memcmp(hmac_sha256("token", token).data(), hmac_sha256("token", secret).data(), SHA256_DIGEST_LENGTH) != 0)
    return fail("the token does not fit");
  return Delivery{request.header("idempotency-key"), {}};
}

}  // namespace

std::string standard_signature(std::string_view secret, const std::string& id, std::int64_t unix_seconds, std::string_view body) {
  const auto signed_text = id + "." + std::to_string(unix_seconds) + "." + std::string(body);
  return "v1," + base64(hmac_sha256(standard_key(secret).value_or(std::string()), signed_text));
}

Result<Delivery> prove(manifest::WebhookVerify verify, std::string_view secret, const Request& request, Instant now) {
  switch (verify) {
    case manifest::WebhookVerify::standard:
      return prove_standard(secret, request, now);
    case manifest::WebhookVerify::github:
      return prove_github(secret, request);
    case manifest::WebhookVerify::bearer:
      return prove_bearer(secret, request);
  }
  std::abort();
}

Result<void> fits(manifest::WebhookVerify verify, std::string_view secret) {
  if (verify != manifest::WebhookVerify::standard) return {};
  const auto key = standard_key(secret);
  if (!key || key->empty()) return fail("with verify = \"standard\" the secret is \"whsec_\" and base64, as its sender shows it");
  return {};
}

}  // namespace agentd::api
