// Which addresses a request from outside may reach. What is checked is the address a socket is about to connect to, so names that
// resolve to something else the second time and unusual spellings (0x7f.1, 2130706433) need no rules of their own.
#pragma once
#include <sys/socket.h>

#include <string>
#include <string_view>

namespace agentd::net {

// True for a globally reachable unicast address: everything that IANA's registries of special-purpose addresses name otherwise is
// refused, and so is IPv6 that carries an IPv4 address (mapped, NAT64, 6to4, Teredo), because what it carries could be private.
bool is_public(const sockaddr* address);
bool is_public(std::string_view ip);  // "192.0.2.1" "2001:db8::1"; false for what is neither

std::string to_text(const sockaddr* address);  // without the port

}  // namespace agentd::net
