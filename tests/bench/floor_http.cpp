#include "tests/bench/floor_http.hpp"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "tests/bench/traffic.hpp"

namespace agentd::bench {
namespace {

class Exchanges {
 public:
  Exchanges(const FloorTraffic& traffic, const std::function<void(int)>& after)
      : traffic_(traffic), after_(after), bodies_{request_body(false, traffic.stream), request_body(true, traffic.stream)}, multi_(curl_multi_init()), epoll_(epoll_create1(0)) {
    headers_ = curl_slist_append(headers_, "Content-Type: application/json");
    headers_ = curl_slist_append(headers_, "Authorization: Bearer sk-bench");
    headers_ = curl_slist_append(headers_, "X-Client-Request-Id: 742-k3f9q2a/1/0");
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 16384L);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Exchanges::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, +[](CURLM*, long ms, void* self) -> int {
      static_cast<Exchanges*>(self)->timeout_ms_ = ms;
      return 0;
    });
  }
  ~Exchanges() {
    for (auto& slot : slots_) curl_easy_cleanup(slot.easy);
    curl_multi_cleanup(multi_);
    curl_slist_free_all(headers_);
    ::close(epoll_);
  }

  int run() {
    slots_.resize(static_cast<std::size_t>(std::min(traffic_.in_flight, traffic_.runs)));
    for (auto& slot : slots_) begin(slot);
    std::array<epoll_event, 256> events;
    int running = 0;
    while (ended_ < traffic_.runs) {
      const int n = timeout_ms_ == 0 ? 0 : epoll_wait(epoll_, events.data(), 256, static_cast<int>(timeout_ms_));
      for (int i = 0; i < n; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        const bool broken = event.events & (EPOLLERR | EPOLLHUP);
        curl_multi_socket_action(multi_, event.data.fd, (event.events & EPOLLIN || broken ? CURL_CSELECT_IN : 0) | (event.events & EPOLLOUT ? CURL_CSELECT_OUT : 0), &running);
      }
      if (n == 0) {
        timeout_ms_ = -1;
        curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
      }
      collect();
    }
    return failed_;
  }

 private:
  struct Slot {
    CURL* easy = nullptr;
    int call = 0;
  };
  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
    auto& all = *static_cast<Exchanges*>(self);
    epoll_event event{.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U), .data = {.fd = fd}};
    epoll_ctl(all.epoll_, what == CURL_POLL_REMOVE ? EPOLL_CTL_DEL : known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    if (!known) curl_multi_assign(all.multi_, fd, self);
    return 0;
  }
  void begin(Slot& slot) {
    if (started_ == traffic_.runs) return;
    ++started_;
    slot.call = 0;
    if (!slot.easy) slot.easy = make(slot);
    send(slot);
  }
  CURL* make(Slot& slot) {
    CURL* easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &slot);
    curl_easy_setopt(easy, CURLOPT_URL, (traffic_.url + "/chat/completions").c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, +[](char*, std::size_t, std::size_t n, void*) -> std::size_t { return n; });
    return easy;
  }
  void send(Slot& slot) {
    const auto& body = bodies_[static_cast<std::size_t>(slot.call)];
    curl_easy_setopt(slot.easy, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(slot.easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_multi_add_handle(multi_, slot.easy);
  }
  void collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      CURL* easy = message->easy_handle;
      Slot* slot = nullptr;
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      if (message->data.result != CURLE_OK || status != 200) ++failed_;
      curl_multi_remove_handle(multi_, easy);
      after_(slot->call);
      if (slot->call++ == 0) {
        send(*slot);
      } else {
        ++ended_;
        begin(*slot);
      }
    }
  }

  const FloorTraffic& traffic_;
  const std::function<void(int)>& after_;
  std::array<std::string, 2> bodies_;
  CURLM* multi_;
  int epoll_;
  curl_slist* headers_ = nullptr;
  std::vector<Slot> slots_;
  long timeout_ms_ = -1;
  int started_ = 0, ended_ = 0, failed_ = 0;
};

}  // namespace

int exchange_all(const FloorTraffic& traffic, const std::function<void(int)>& after) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  return Exchanges(traffic, after).run();
}

}  // namespace agentd::bench
