// A client on a real loop and a time that only the test moves.
#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/net/client.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/virtual_world.hpp"

namespace agentd::net {

using namespace std::chrono_literals;

struct Got {
  std::optional<Result<void>> end;
  port::HttpHead head;
  std::string body;
  int heads = 0, ends = 0;

  bool ok() const { return end && end->has_value(); }
  std::string message() const { return !end ? "nothing yet" : end->has_value() ? "ok" : end->error().message; }
  std::optional<ErrorClass> failure() const { return end && !end->has_value() ? std::optional(end->error().error_class) : std::nullopt; }
};

class Bench {
 public:
  explicit Bench(Settings settings = {}) : client_(std::make_unique<Client>(world_.world(), std::move(settings))) {}

  Client& client() { return *client_; }
  support::VirtualWorld& world() { return world_; }
  void drop_client() { client_.reset(); }

  port::HttpClient::Id start(port::HttpRequest request, Got& got) {
    port::HttpHandler handler;
    handler.head = [&got](const port::HttpHead& head) {
      got.head = head;
      ++got.heads;
      return true;
    };
    handler.body = [&got](std::string_view chunk) {
      got.body += chunk;
      return true;
    };
    handler.end = [&got](Result<void> end) {
      got.end = std::move(end);
      ++got.ends;
    };
    return client_->start(std::move(request), std::move(handler));
  }
  // Runs the loop until the condition holds; gives up after a while that no passing test needs.
  template <class F>
  bool until(F condition) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    world_.io().restart();
    while (!condition() && std::chrono::steady_clock::now() < end) world_.io().run_one_for(20ms);
    return condition();
  }
  Got fetch(port::HttpRequest request) {
    Got got;
    start(std::move(request), got);
    EXPECT_TRUE(until([&] { return got.end.has_value(); })) << "the exchange never ended";
    return got;
  }
  Got fetch(std::string url) { return fetch(port::HttpRequest{.url = std::move(url)}); }

 private:
  support::VirtualWorld world_;
  std::unique_ptr<Client> client_;
};

}  // namespace agentd::net
