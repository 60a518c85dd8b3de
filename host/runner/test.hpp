// Holding a plugin to its promises from outside.
#pragma once
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace agentd::runner {

struct Promise {
  std::string component;  // "memory notes"
  std::string check;      // "lists the newest first"
  std::string unmet;      // what was expected and what came; empty: kept
};

struct Tested {
  std::vector<Promise> promises;
  std::string errors;     // what the file wrote to standard error, the last part
};

// Runs `self_exe --runner test` in a process group of its own. What the file does to its process, an exit, a crash or a hang, is told of the
// promise that was under way, and of the operation of it. `settings`: a JSON object with its references resolved; it is in no command line. Blocks; any thread.
Result<Tested> test_in_runner(const std::filesystem::path& self_exe, const std::filesystem::path& file, const std::string& settings,
                              std::chrono::milliseconds timeout = std::chrono::seconds(110));

}  // namespace agentd::runner
