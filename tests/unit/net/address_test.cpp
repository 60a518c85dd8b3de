#include "core/net/address.hpp"

#include <gtest/gtest.h>

namespace agentd::net {
namespace {

TEST(PublicAddress, IsWhatTheWorldCanReach) {
  for (const char* ip : {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
                         "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888"})
    EXPECT_TRUE(is_public(ip)) << ip;
}

TEST(PublicAddress, IsNotOneOfThisMachineOrItsNetwork) {
  for (const char* ip : {"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255",
                         "192.168.1.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
                         "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1"})
    EXPECT_FALSE(is_public(ip)) << ip;
}

TEST(PublicAddress, IsNotOneThatCarriesAnother) {
  for (const char* ip : {"::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1", "2001:10::1"})
    EXPECT_FALSE(is_public(ip)) << ip;
}

TEST(PublicAddress, IsNotSomethingThatIsNoAddress) {
  for (const char* text : {"", "localhost", "0x7f.1", "2130706433", "1.2.3", "1.2.3.4.5", "::g"}) EXPECT_FALSE(is_public(text)) << text;
}

}  // namespace
}  // namespace agentd::net
