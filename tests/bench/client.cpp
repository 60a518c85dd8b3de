// bench_client: both HTTP exchanges of a run through the engine's own client, beside bench_floor run --rows no. One line of JSON.
#include <boost/asio/io_context.hpp>
#include <memory>

#include "core/base/real_world.hpp"
#include "core/net/client.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/traffic.hpp"

namespace {

using namespace agentd;

class Exchanges {
 public:
  Exchanges(boost::asio::io_context& io, std::string url, int runs, int in_flight, bool stream)
      : io_(io), timers_(io), client_({io.get_executor(), clock_, timers_, random_}), url_(std::move(url) + "/chat/completions"),
        bodies_{bench::request_body(false, stream), bench::request_body(true, stream)}, runs_(runs), in_flight_(in_flight) {}

  int run() {
    for (int i = 0; i < in_flight_; ++i) begin();
    while (ended_ < runs_) io_.run_one();
    return failed_;
  }

 private:
  void begin() {
    if (started_ == runs_) return;
    ++started_;
    send(0);
  }
  void send(int call) {
    port::HttpRequest request;
    request.method = "POST";
    request.url = url_;
    request.headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer sk-bench"}, {"X-Client-Request-Id", "742-k3f9q2a/1/0"}};
    request.body = bodies_[call];
    port::HttpHandler handler;
    handler.head = [this](const port::HttpHead& head) {
      if (head.status != 200) ++failed_;
      return true;
    };
    handler.body = [](std::string_view) { return true; };
    handler.end = [this, call](Result<void> end) {
      if (!end) ++failed_;
      if (call == 0) return send(1);
      ++ended_;
      begin();
    };
    client_.start(std::move(request), std::move(handler));
  }

  boost::asio::io_context& io_;
  SystemClock clock_;
  SystemRandom random_;
  AsioTimers timers_;
  net::Client client_;
  std::string url_, bodies_[2];
  int runs_, in_flight_, started_ = 0, ended_ = 0, failed_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options(argc, argv);
  bench::allow_many_files();
  const int runs = options.number("--runs", 10000), in_flight = options.number("--in-flight", 64);
  const bool stream = options.text("--stream", "no") == "yes";
  boost::asio::io_context io(1);
  auto exchanges = std::make_unique<Exchanges>(io, options.text("--url", ""), runs, in_flight, stream);
  const bench::Cost cost;
  const int failed = exchanges->run();
  bench::Line("client_run").add("runs", runs).add("in_flight", in_flight).add("stream", stream ? "yes" : "no").add("cpu_us_per_run", cost.cpu_us() / runs)
      .add("runs_per_s", runs / cost.wall_s()).add("peak_rss_mb", bench::peak_rss_mb()).add("failed", failed).print();
}
