// Who webhooks are sent to: takes each event once by its id, as the receiver of any at-least-once delivery does.
#pragma once
#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/http_server.hpp"

namespace agentd::support {

class HookReceiver {
 public:
  // The status of an answer; without one every event is taken.
  using Verdict = std::function<int(const HttpAsked&)>;

  std::string url() const { return server_.url("/hooks/secret-path"); }
  std::string origin() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
  std::vector<HttpAsked> asked() const { return server_.asked(); }
  // In the order they were taken.
  std::vector<std::string> ids() const {
    const std::lock_guard lock(mutex_);
    return ids_;
  }
  void judge(Verdict verdict, std::string headers = {}) {
    const std::lock_guard lock(mutex_);
    verdict_ = std::move(verdict);
    headers_ = std::move(headers);
  }

 private:
  void answer(const HttpAsked& asked, HttpTalk& talk) {
    const std::lock_guard lock(mutex_);
    const int status = verdict_ ? verdict_(asked) : 204;
    if (status == 0) return talk.close();
    const auto id = asked.headers.find("webhook-id");
    if (status < 300 && id != asked.headers.end() && std::ranges::find(ids_, id->second) == ids_.end()) ids_.push_back(id->second);
    talk.answer(status, status < 300 ? "" : "not today", headers_);
  }
  mutable std::mutex mutex_;
  Verdict verdict_;
  std::string headers_;
  std::vector<std::string> ids_;
  HttpServer server_{[this](const HttpAsked& asked, HttpTalk& talk) { answer(asked, talk); }};  // last: it goes first
};

}  // namespace agentd::support
