#include "core/tool/wire_name.hpp"

#include <cstdint>

namespace agentd::tool {
namespace {

constexpr std::size_t kLongest = 64;
constexpr std::size_t kHashDigits = 8;

// FNV-1a, folded to 32 bits: stable across machines and versions, which std::hash is not.
std::uint32_t fingerprint(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<std::uint32_t>(hash ^ hash >> 32);
}

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

}  // namespace

std::string wire_name(std::string_view full_name) {
  std::string wire;
  for (const char c : full_name) {
    if (c == '.') wire += "__";
    else wire += is_plain(c) ? c : '_';
  }
  if (wire.empty()) return "_";
  if (wire.size() <= kLongest) return wire;
  static constexpr std::string_view kHex = "0123456789abcdef";
  wire.resize(kLongest - kHashDigits - 1);
  wire += '_';
  const auto hash = fingerprint(full_name);
  for (std::size_t i = kHashDigits; i-- > 0;) wire += kHex[hash >> (4 * i) & 15];
  return wire;
}

}  // namespace agentd::tool
