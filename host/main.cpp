#include <unistd.h>

#include <csignal>
#include <iostream>
#include <string_view>
#include <vector>

#include "core/base/plain_text.hpp"
#include "host/cli/parse.hpp"
#include "host/commands.hpp"
#include "host/out_of_memory.hpp"
#include "host/runner/runner.hpp"
#include "host/streams.hpp"

int main(int argc, char** argv) {
  using namespace agentd;
  host::open_missing_streams();
  host::tell_when_memory_is_out();
  if (argc > 1 && std::string_view(argv[1]) == "--runner") {
    std::vector<char*> rest = {argv[0]};
    rest.insert(rest.end(), argv + 2, argv + argc);
    return runner::runner_main(static_cast<int>(rest.size()), rest.data());
  }
  std::signal(SIGPIPE, SIG_IGN);  // a reader that leaves is an error of the write
  const auto parsed = cli::parse(argc, argv);
  if (const auto* said = std::get_if<cli::Said>(&parsed)) {
    said->exit_code == cli::kDone ? std::cout << said->text : std::cerr << plain_text(said->text);
    return host::finish_output(std::cout, STDOUT_FILENO, std::cerr, said->exit_code);
  }
  const cli::Output to{std::cout, std::cerr, cli::Terminal::of(STDOUT_FILENO)};
  const auto perform = [&to](const auto& command) {
    using cli::perform;
    using host::perform;
    return perform(command, to);
  };
  try {
    const int code = std::visit(perform, std::get<cli::Command>(parsed));
    return host::finish_output(std::cout, STDOUT_FILENO, std::cerr, code);
  } catch (const std::exception& error) {  // a defect
    std::cerr << "agentd: " << error.what() << '\n';
    return cli::kFailed;
  }
}
