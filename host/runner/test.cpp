#include "host/runner/test.hpp"

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "core/base/time.hpp"
#include "host/runner/child.hpp"
#include "host/runner/scratch.hpp"

namespace agentd::runner {
namespace {

std::string end_of(const ChildEnd& end, std::chrono::milliseconds timeout) {
  if (end.timed_out) return "it did not end within " + format_duration(timeout);
  if (end.signal != 0) return std::string("it crashed: ") + strsignal(end.signal);
  return "it ended the process, with exit code " + std::to_string(end.exit_code);
}

}  // namespace

Result<Tested> test_in_runner(const std::filesystem::path& self_exe, const std::filesystem::path& file, const std::string& settings,
                              std::chrono::milliseconds timeout) {
  const Scratch scratch;
  std::ofstream(scratch.path() / "settings.json") << settings;
  const auto end = run_child({self_exe.string(), "--runner", "test", std::filesystem::absolute(file).string(), scratch.path().string()}, timeout);
  if (!end) return std::unexpected(end.error());
  std::vector<Promise> all;
  std::optional<Promise> begun;
  std::string operation;
  std::istringstream lines(end->output);
  for (std::string text; std::getline(lines, text);) {
    const auto line = nlohmann::json::parse(text, nullptr, false);
    if (!line.is_object()) continue;
    if (line.contains("error")) return fail(line.value("error", ""));
    if (line.contains("operation")) {
      operation = "in " + line.value("operation", "") + ": ";
      continue;
    }
    Promise promise{line.value("component", ""), line.value("check", ""), ""};
    begun.reset();
    operation.clear();
    if (!line.contains("unmet")) begun = std::move(promise);
    else all.push_back({std::move(promise.component), std::move(promise.check), line["unmet"].is_string() ? line["unmet"].get<std::string>() : ""});
  }
  const bool broke_off = end->timed_out || end->signal != 0 || end->exit_code != 0;
  if (begun) all.push_back({begun->component, begun->check, operation + end_of(*end, timeout)});
  else if (broke_off) return fail(file.string() + ": " + end_of(*end, timeout));
  return Tested{std::move(all), end->errors};
}

}  // namespace agentd::runner
