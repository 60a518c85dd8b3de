#include "core/tool/arguments_hash.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/tool/canonical_json.hpp"

namespace agentd::tool {

std::string arguments_hash(std::string_view arguments) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  const auto parsed = nlohmann::json::parse(arguments, nullptr, false);
  std::string text;
  if (parsed.is_discarded() || !append_canonical(text, parsed, SIZE_MAX)) text = arguments;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) std::abort();  // out of memory
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) (hex += kHex[digest[i] >> 4]) += kHex[digest[i] & 15];
  return hex;
}

}  // namespace agentd::tool
