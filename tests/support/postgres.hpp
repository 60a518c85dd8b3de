// A PostgreSQL server of the test's own, on a free port and in a folder that goes with it.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace agentd::support {

class Postgres {
 public:
  // With settings of the server, as "name=value". What is written survives the server's death, unless "fsync=off" is among them, and the machine's.
  explicit Postgres(std::vector<std::string> settings = {"fsync=off"}) : settings_(std::move(settings)), port_(free_port()) {
    std::string folder = (std::filesystem::temp_directory_path() / "agentd-pg-XXXXXX").string();
    if (!::mkdtemp(folder.data())) throw std::runtime_error("no folder for a PostgreSQL server");
    folder_ = folder;
    if (const auto* user = server_user()) {
      if (::chown(folder.c_str(), user->pw_uid, user->pw_gid) != 0) throw std::runtime_error("chown " + folder);
    }
    if (wait_for(start({program("initdb"), "-D", data(), "-A", "trust", "-U", "postgres", "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C"})) != 0)
      throw std::runtime_error("initdb failed: " + log());
    up();
  }
  ~Postgres() {
    kill();
    std::filesystem::remove_all(folder_);
  }
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  std::string url() const { return "postgres://postgres@127.0.0.1:" + std::to_string(port_) + "/postgres?sslmode=disable"; }
  int port() const { return port_; }

  // Until it takes connections.
  void up() {
    std::vector<std::string> command = {program("postgres"), "-D", data(), "-p", std::to_string(port_), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=100"};
    for (const auto& setting : settings_) command.insert(command.end(), {"-c", setting});
    server_ = start(command);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (wait_for(start({program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", std::to_string(port_), "-U", "postgres"})) != 0) {
      if (std::chrono::steady_clock::now() > until) throw std::runtime_error("the PostgreSQL server does not come up: " + log());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  // At once, as a machine that loses power.
  void kill() {
    if (server_ <= 0) return;
    ::kill(server_, SIGQUIT);
    wait_for(std::exchange(server_, -1));
  }
  void freeze() { ::kill(server_, SIGSTOP); }
  void thaw() { ::kill(server_, SIGCONT); }

 private:
  static int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0) throw std::runtime_error("no free port");
    ::close(fd);
    return ntohs(at.sin_port);
  }
  // The server refuses to be root.
  static const passwd* server_user() {
    if (::getuid() != 0) return nullptr;
    const auto* user = ::getpwnam("postgres");
    return user ? user : ::getpwnam("nobody");
  }
  static std::string program(const std::string& name) {
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql"))
      if (const auto file = version.path() / "bin" / name; std::filesystem::exists(file)) return file.string();
    throw std::runtime_error("no " + name + " below /usr/lib/postgresql: install the packages of .ci/packages");
  }
  std::string data() const { return (folder_ / "data").string(); }
  std::string log() const {
    std::ifstream in(folder_ / "log");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // Ends with the test, however that ends.
  pid_t start(const std::vector<std::string>& command) const {
    std::vector<char*> words;
    for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    const auto file = (folder_ / "log").string();
    const auto* user = server_user();
    const pid_t child = ::fork();
    if (child != 0) return child;
    const int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    (void)!::fchmod(out, 0666);
    ::dup2(out, 1), ::dup2(out, 2);
    if (user && (::initgroups(user->pw_name, user->pw_gid) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    (void)!::chdir("/");
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  static int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return status;
  }

  const std::vector<std::string> settings_;
  const int port_;
  std::filesystem::path folder_;
  pid_t server_ = -1;
};

}  // namespace agentd::support
