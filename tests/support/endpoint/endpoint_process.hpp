// The fake endpoint as a process of its own, for as long as this object lives. FAKE_ENDPOINT names the program.
#pragma once
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

extern char** environ;

namespace agentd::support {

class EndpointProcess {
 public:
  explicit EndpointProcess(std::vector<std::string> arguments = {}) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    arguments.insert(arguments.begin(), FAKE_ENDPOINT);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const int failed = ::posix_spawn(&pid_, FAKE_ENDPOINT, &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    stdin_ = in[1];
    if (failed) throw std::runtime_error("the fake endpoint did not start");
    FILE* said = ::fdopen(out[0], "r");
    const int read = std::fscanf(said, "%d", &port_);
    std::fclose(said);
    if (read != 1) throw std::runtime_error("the fake endpoint said no port");
  }
  ~EndpointProcess() {
    ::close(stdin_);  // it serves until then
    ::waitpid(pid_, nullptr, 0);
  }
  EndpointProcess(const EndpointProcess&) = delete;
  EndpointProcess& operator=(const EndpointProcess&) = delete;

  std::string base_url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }
  int port() const { return port_; }

 private:
  pid_t pid_ = 0;
  int stdin_ = -1, port_ = 0;
};

}  // namespace agentd::support
