#include "stores/ledger/checksum.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace agentd::ledger {
namespace {

std::uint32_t of(std::string_view text) { return static_cast<std::uint32_t>(Checksum().add(text).value()); }

// A second way to the same number: bit by bit, over the bytes that add() is said to feed.
std::uint32_t slowly(std::string_view text) {
  std::string bytes(8, '\0');
  const std::uint64_t size = text.size();
  std::memcpy(bytes.data(), &size, 8);
  bytes += text;
  std::uint32_t crc = ~0u;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

TEST(Checksum, IsCrc32cAtEveryLength) {
  std::string text;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(of(text), slowly(text)) << i;
    text += static_cast<char>(i * 37);
  }
}

TEST(Checksum, GoesOnWhereItStopped) {
  const auto whole = Checksum().add(std::int64_t{1}).add("two").add(std::int64_t{3}).value();
  const auto base = Checksum().add(std::int64_t{1}).add("two").value();
  EXPECT_EQ(Checksum(base).add(std::int64_t{3}).value(), whole);
}

TEST(Checksum, KnowsWhereOneTextEnds) { EXPECT_NE(Checksum().add("ab").add("c").value(), Checksum().add("a").add("bc").value()); }

}  // namespace
}  // namespace agentd::ledger
