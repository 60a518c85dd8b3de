#include "host/api/access.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

#include "host/api/head.hpp"

namespace agentd::api {
namespace {

constexpr std::array<std::string_view, 5> kRoles = {"none", "metrics", "viewer", "operator", "admin"};

// RFC 6750: the scheme in any case, then the token.
std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (in_small_letters(authorization.substr(0, kScheme.size())) != kScheme) return {};
  authorization.remove_prefix(kScheme.size());
  const auto begin = authorization.find_first_not_of(' ');
  return begin == authorization.npos ? std::string_view() : authorization.substr(begin);
}

}  // namespace

std::string_view name(Role role) { return kRoles[static_cast<std::size_t>(role)]; }

std::optional<Role> role_named(std::string_view name) {
  const auto found = std::find(kRoles.begin() + 1, kRoles.end(), name);
  if (found == kRoles.end()) return std::nullopt;
  return static_cast<Role>(found - kRoles.begin());
}

Access::Digest Access::digest_of(std::string_view token) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

std::optional<std::string> Access::add(Caller caller, std::string_view token) {
  if (token.size() < kShortestToken) return "has fewer than " + std::to_string(kShortestToken) + " characters; `openssl rand -hex 32` makes a good one";
  const auto is_printed = [](unsigned char c) { return c > 0x20 && c < 0x7f; };
  if (!std::ranges::all_of(token, is_printed)) return "has spaces, control characters or letters beyond ASCII, which a header cannot carry";
  const auto digest = digest_of(token);
  for (const auto& known : known_)
    if (known.digest == digest) return "is the same as that of \"" + known.caller.name + '"';
  known_.push_back({std::move(caller), digest});
  return std::nullopt;
}

Access::Digest Access::shown(std::string_view authorization) { return digest_of(bearer(authorization)); }

const Access::Caller* Access::caller(const Digest& shown) const {
  const Caller* found = nullptr;
  for (const auto& known : known_)
    if (CRYPTO_memcmp(known.digest.data(), shown.data(), shown.size()) == 0) found = &known.caller;
  return found;
}

}  // namespace agentd::api
