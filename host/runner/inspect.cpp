#include "host/runner/inspect.hpp"

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"
#include "core/base/time.hpp"
#include "host/runner/child.hpp"

namespace agentd::runner {
namespace {

std::string said(const ChildEnd& end) {
  auto text = to_utf8(end.errors);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? text : "; it said: " + text;
}

}  // namespace

Result<std::string> inspect_in_runner(const std::filesystem::path& self_exe, const std::filesystem::path& file, std::chrono::milliseconds timeout) {
  const auto end = run_child({self_exe.string(), "--runner", "inspect", std::filesystem::absolute(file).string()}, timeout);
  if (!end) return std::unexpected(end.error());
  const auto because = [&](const std::string& why) { return fail(file.string() + ": " + why + said(*end)); };
  if (end->timed_out) return because("it did not load within " + format_duration(timeout));
  if (end->signal != 0) return because(std::string("it crashes when it is loaded: ") + strsignal(end->signal));
  const auto answer = nlohmann::json::parse(end->output, nullptr, false);
  if (!answer.is_object()) return because("it ended the process that loaded it, with exit code " + std::to_string(end->exit_code));
  if (answer.contains("error")) return fail(answer["error"].get<std::string>());
  return end->output;
}

}  // namespace agentd::runner
