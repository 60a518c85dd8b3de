// The engine's own HTTP client behind the SDK's fake host: a plugin's unit test against a real server.
#pragma once
#include <agentd/testing/fake_host.hpp>

#include <boost/asio/io_context.hpp>
#include <optional>

#include "core/base/real_world.hpp"
#include "core/net/client.hpp"

namespace agentd::support {

inline int32_t status_of(ErrorClass c) {
  return c == ErrorClass::retryable ? AGENTD_RETRYABLE : c == ErrorClass::unknown_outcome ? AGENTD_UNKNOWN_OUTCOME : c == ErrorClass::policy ? AGENTD_DENIED : AGENTD_TERMINAL;
}

// Give it to FakeHost::answer_http. Bodies come in pieces of that size.
inline std::function<testing::FakeAnswer(const testing::FakeRequest&)> real_http(std::size_t piece = 7) {
  return [piece](const testing::FakeRequest& asked) {
    boost::asio::io_context io;
    SystemClock clock;
    SystemRandom random;
    AsioTimers timers(io);
    net::Client client({io.get_executor(), clock, timers, random});
    testing::FakeAnswer answer;
    answer.chunk = piece;
    port::HttpRequest request{.method = asked.method, .url = asked.url, .headers = asked.headers, .body = asked.body, .timeout = Millis(5000), .public_only = asked.public_only};
    if (asked.max_response_bytes > 0) request.max_response_bytes = asked.max_response_bytes;
    bool over = false;
    client.start(std::move(request), {.head = [&](const port::HttpHead& head) {
                                        answer.status = head.status;
                                        answer.headers = head.headers;
                                        return true;
                                      },
                                      .body = [&](std::string_view chunk) {
                                        answer.body += chunk;
                                        return true;
                                      },
                                      .end = [&](Result<void> end) {
                                        over = true;
                                        if (end) return;
                                        answer.error = status_of(end.error().error_class);
                                        answer.body = end.error().message;
                                      }});
    while (!over) io.run_one();
    return answer;
  };
}

}  // namespace agentd::support
