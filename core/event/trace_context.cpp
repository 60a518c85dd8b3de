#include "core/event/trace_context.hpp"

#include <openssl/sha.h>

#include <array>

namespace agentd::event {
namespace {

// 00-11112222333344445555666677778888-1111222233334444-01
constexpr std::size_t kVersion = 0, kTrace = 3, kParent = 36, kFlags = 53, kLength = 55;
constexpr std::string_view kDigits = "0123456789abcdef";

bool is_hex(std::string_view text) { return text.find_first_not_of(kDigits) == std::string_view::npos; }
bool is_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }
bool is_sampled(std::string_view flags) { return kDigits.find(flags[1]) % 2 == 1; }

std::string with_parent(const std::string& from, const std::string& span) {
  if (from.empty()) return {};
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(span.data()), span.size(), digest.data());
  std::string own = from;
  for (std::size_t i = 0; i < 8; ++i) own[kParent + 2 * i] = kDigits[digest[i] >> 4], own[kParent + 2 * i + 1] = kDigits[digest[i] & 15];
  return own;
}

}  // namespace

std::string read_traceparent(std::string_view header) {
  if (header.size() < kLength) return {};
  const auto version = header.substr(kVersion, 2), trace = header.substr(kTrace, 32), parent = header.substr(kParent, 16), flags = header.substr(kFlags, 2);
  const bool is_apart = header[2] == '-' && header[kParent - 1] == '-' && header[kFlags - 1] == '-';
  if (!is_apart || !is_hex(version) || !is_hex(trace) || !is_hex(parent) || !is_hex(flags) || is_zero(trace) || is_zero(parent) || version == "ff") return {};
  // A newer version may say more, behind another dash.
  if (header.size() > kLength && (version == "00" || header[kLength] != '-')) return {};
  return "00-" + std::string(trace) + '-' + std::string(parent) + (is_sampled(flags) ? "-01" : "-00");
}

std::string traceparent_of_run(const std::string& from, const std::string& run) { return with_parent(from, "span of " + run); }
std::string traceparent_of_call(const std::string& from, const std::string& call_id) { return with_parent(from, "call " + call_id); }

}  // namespace agentd::event
