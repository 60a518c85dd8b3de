// CRC-32C (Castagnoli), as iSCSI and ext4 use it: finds every burst of up to 32 bits in a row.
#pragma once
#include <cstdint>
#include <string_view>

namespace agentd::ledger {

// Feed it values in a fixed order. Integers go in as eight bytes, text with its length, so that no two sequences look alike.
class Checksum {
 public:
  Checksum() = default;
  explicit Checksum(std::int64_t earlier) : crc_(~static_cast<std::uint32_t>(earlier)) {}  // goes on after value()
  Checksum& add(std::int64_t value);
  Checksum& add(std::string_view text);
  std::int64_t value() const { return static_cast<std::int32_t>(~crc_); }  // signed: four bytes in a row instead of six

 private:
  void feed(const char* data, std::size_t size);
  std::uint32_t crc_ = ~0u;
};

}  // namespace agentd::ledger
