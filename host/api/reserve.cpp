#include "host/api/reserve.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace agentd::api {
namespace {

constexpr int kAtOnce = 64;

int spare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

void tell(int client, std::string_view answer) {
  (void)!::send(client, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  std::array<char, 4096> asked;
  while (::recv(client, asked.data(), asked.size(), MSG_DONTWAIT) >
         0) {  // what is not read would make the end a reset, which takes the answer away
  }
  ::shutdown(client, SHUT_WR);
  ::close(client);
}

}  // namespace

Reserve::Reserve() : descriptor_(spare()) {}

Reserve::~Reserve() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Reserve::turn_away(int listener, std::string_view answer) {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  for (int i = 0; i < kAtOnce; ++i) {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) break;
    tell(client, answer);
  }
  descriptor_ = spare();
}

}  // namespace agentd::api
