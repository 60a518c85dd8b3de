// Real servers for tests: each on a free port of the loopback interface, over a folder of its own.
#pragma once
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/io.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace agentd::support {

inline int free_port() {
  boost::asio::io_context io;
  const boost::asio::ip::tcp::acceptor acceptor(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
  return acceptor.local_endpoint().port();
}

// May be killed and started again on the same port, with the data it had. Ends with the object, and with the thread that started it.
class Server {
 public:
  Server() {
    std::string text = (std::filesystem::temp_directory_path() / "agentd-server-XXXXXX").string();
    folder_ = ::mkdtemp(text.data());
  }
  virtual ~Server() {
    kill();
    std::filesystem::remove_all(folder_);
  }
  Server(const Server&) = delete;

  virtual void start() = 0;
  void kill() { end(SIGKILL); }
  void end(int signal) {
    if (!process_.valid()) return;
    ::kill(process_.id(), signal);
    process_.wait();
    process_ = {};
  }
  int port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  const std::filesystem::path& folder() const { return folder_; }

 protected:
  // Waits until it is ready. What it says goes to FOLDER/log.
  // In its process, before it begins: set_up.
  void run(const std::string& program, const std::vector<std::string>& arguments, const std::function<bool()>& is_ready, const std::function<void()>& set_up = [] {}) {
    namespace process = boost::process;
    const auto log = (folder_ / "log").string();
    const auto begin = [&] {
      process_ = process::child(program, process::args(arguments), process::std_in < process::null, (process::std_out & process::std_err) > log,
                                process::extend::on_exec_setup([&set_up](auto&) {
                                  set_up();
                                  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                                }));
    };
    begin();
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!is_ready()) {
      if (std::chrono::steady_clock::now() > until) throw std::runtime_error(program + " did not start: " + text_of(log));
      const bool has_left = !process_.running();
      std::this_thread::sleep_for(std::chrono::milliseconds(has_left ? 500 : 5));
      if (has_left) begin();  // while it was away, somebody's connection may have taken its port for a moment
    }
  }

 private:
  static std::string text_of(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path folder_;
  const int port_ = free_port();
  boost::process::child process_;
};

}  // namespace agentd::support
