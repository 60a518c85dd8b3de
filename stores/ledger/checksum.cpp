#include "checksum.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace agentd::ledger {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables t{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0u);
    t[0][i] = crc;
  }
  for (std::size_t n = 1; n < 8; ++n) {
    for (std::size_t i = 0; i < 256; ++i) t[n][i] = t[n - 1][i] >> 8 ^ t[0][t[n - 1][i] & 0xff];
  }
  return t;
}
constexpr Tables kTables = make_tables();

std::uint64_t little_endian(std::uint64_t value) {
  return std::endian::native == std::endian::little ? value : __builtin_bswap64(value);
}

// Eight bytes at a time (slicing-by-8).
std::uint32_t crc_of_eight(std::uint32_t crc, std::uint64_t word) {
  word ^= crc;
  std::uint32_t next = 0;
  for (std::size_t n = 0; n < 8; ++n) next ^= kTables[7 - n][word >> (8 * n) & 0xff];
  return next;
}

}  // namespace

void Checksum::feed(const char* data, std::size_t size) {
  for (; size >= 8; data += 8, size -= 8) {
    std::uint64_t word;
    std::memcpy(&word, data, 8);
    crc_ = crc_of_eight(crc_, little_endian(word));
  }
  for (; size > 0; ++data, --size) crc_ = crc_ >> 8 ^ kTables[0][(crc_ ^ static_cast<unsigned char>(*data)) & 0xff];
}

Checksum& Checksum::add(std::int64_t value) {
  crc_ = crc_of_eight(crc_, static_cast<std::uint64_t>(value));
  return *this;
}

Checksum& Checksum::add(std::string_view text) {
  add(static_cast<std::int64_t>(text.size()));
  feed(text.data(), text.size());
  return *this;
}

}  // namespace agentd::ledger
