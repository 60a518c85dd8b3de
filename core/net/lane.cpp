#include "core/net/lane.hpp"

#include <cstdlib>

namespace agentd::net {

Lane::Lane(SocketSet& sockets, std::uint32_t number, std::function<void(Time)> due_changed)
    : sockets_(sockets), number_(number), due_changed_(std::move(due_changed)), multi_(curl_multi_init()) {
  if (!multi_) std::abort();
  const auto set = [this](CURLMoption option, auto value) { curl_multi_setopt(multi_.get(), option, value); };
  set(CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
  set(CURLMOPT_MAXCONNECTS, kConnections);
  set(CURLMOPT_SOCKETDATA, this);
  set(CURLMOPT_SOCKETFUNCTION, +[](CURL*, curl_socket_t fd, int what, void* self, void*) -> int { return static_cast<Lane*>(self)->on_socket(fd, what); });
  set(CURLMOPT_TIMERDATA, this);
  set(CURLMOPT_TIMERFUNCTION, +[](CURLM*, long ms, void* self) -> int { return static_cast<Lane*>(self)->on_timer(ms); });
}

bool Lane::add(Transfer& transfer) {
  if (curl_multi_add_handle(multi_.get(), transfer.easy()) != CURLM_OK) return false;
  ++transfers_;
  was_idle = false;
  return true;
}

void Lane::remove(Transfer& transfer) {
  curl_multi_remove_handle(multi_.get(), transfer.easy());
  --transfers_;
}

void Lane::ready(int fd, bool readable, bool writable) { act(fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0)); }

void Lane::expire(Time now) {
  if (!due_ || *due_ > now) return;
  due_.reset();
  act(CURL_SOCKET_TIMEOUT, 0);
}

void Lane::act(curl_socket_t fd, int what) {
  int running = 0;
  curl_multi_socket_action(multi_.get(), fd, what, &running);
  acted_ = true;
}

Transfer* Lane::next_ended(CURLcode& code) {
  if (!acted_) return nullptr;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    code = message->data.result;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    remove(*transfer);
    return transfer;
  }
  acted_ = false;
  return nullptr;
}

int Lane::on_socket(curl_socket_t fd, int what) {
  sockets_.watch(fd, number_, what == CURL_POLL_IN || what == CURL_POLL_INOUT, what == CURL_POLL_OUT || what == CURL_POLL_INOUT);
  return 0;
}

int Lane::on_timer(long ms) {
  due_.reset();
  if (ms < 0) return 0;
  due_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  due_changed_(*due_);
  return 0;
}

}  // namespace agentd::net
