#include "key.hpp"

#include <openssl/sha.h>

#include <array>

namespace agentd::points {
namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

// The length of the first part keeps ("a", "bc") and ("ab", "c") apart.
Digest digest(std::string_view first, std::string_view second) {
  const auto text = std::to_string(first.size()) + ':' + std::string(first) + std::string(second);
  Digest out{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data());
  return out;
}

std::string hex(const Digest& bytes, std::size_t count) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < count; ++i) (out += kDigits[bytes[i] >> 4]) += kDigits[bytes[i] & 15];
  return out;
}

// RFC 9562, version 8: bits of one's own choice.
std::string uuid(Digest bytes) {
  bytes[6] = static_cast<unsigned char>(0x80 | (bytes[6] & 0x0f));
  bytes[8] = static_cast<unsigned char>(0x80 | (bytes[8] & 0x3f));
  auto text = hex(bytes, 16);
  for (const std::size_t dash : {20, 16, 12, 8}) text.insert(dash, 1, '-');
  return text;
}

}  // namespace

std::string entry_key(std::string_view agent, std::string_view id) { return uuid(digest(agent, id)); }
std::string vector_key(std::string_view entry_key, std::uint64_t revision) { return uuid(digest(entry_key, std::to_string(revision))); }
std::string short_name(std::string_view space) { return hex(digest(space, ""), 8); }

}  // namespace agentd::points
