// Vector databases for tests: each as tests/support/NAME/start.py starts it, and where a PostgreSQL is that knows of vectors.
#pragma once
#include <boost/process/pipe.hpp>
#include <boost/process/system.hpp>
#include <random>

#include "tests/support/servers/server.hpp"

namespace agentd::support {

class VectorServer final : public Server {
 public:
  explicit VectorServer(const std::string& name, std::string api_key = {}) : script_(AGENTD_SUPPORT "/" + name + "/start.py"), api_key_(std::move(api_key)) {
    ::setenv("AGENTD_BUILD", AGENTD_BUILD_FOLDER, 1);
    if (boost::process::system(kPython, script_) != 0) throw std::runtime_error(script_ + " did not find what it starts");  // takes its time where it has to be fetched
    start();
  }
  void start() override {
    std::vector<std::string> arguments = {script_, std::to_string(port()), folder().string()};
    if (!api_key_.empty()) arguments.push_back(api_key_);
    run(kPython, arguments, [this] { return listens(); });
  }

 private:
  static constexpr const char* kPython = "/usr/bin/python3";
  bool listens() const {
    boost::asio::io_context io;
    boost::asio::ip::tcp::socket socket(io);
    boost::system::error_code error;
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), static_cast<unsigned short>(port())}, error);
    return !error;
  }
  const std::string script_, api_key_;
};

// The folder of a server's programs; takes its time where it has to be fetched.
inline std::filesystem::path programs_with_pgvector() {
  ::setenv("AGENTD_BUILD", AGENTD_BUILD_FOLDER, 1);
  const std::string script = AGENTD_SUPPORT "/pgvector/programs.py";
  boost::process::ipstream out;
  boost::process::child python("/usr/bin/python3", script, boost::process::std_out > out);
  std::string folder;
  std::getline(out, folder);
  python.wait();
  if (python.exit_code() != 0) throw std::runtime_error(script + " did not find what it names");
  return folder;
}

inline std::string collection_of_its_own() { return "test-" + std::to_string(std::random_device{}()); }

}  // namespace agentd::support
