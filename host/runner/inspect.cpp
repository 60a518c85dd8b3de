#include "host/runner/inspect.hpp"

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"
#include "core/base/time.hpp"
#include "host/runner/child.hpp"
#include "host/runner/scratch.hpp"

namespace agentd::runner {
namespace {

std::string said(const ChildEnd& end) {
  auto text = to_utf8(end.errors);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? text : "; it said: " + text;
}

using nlohmann::ordered_json;

// One JSON object that a child prints about the file, or what became of the child.
Result<ordered_json> ask(const std::vector<std::string>& argv, const std::filesystem::path& file, std::chrono::milliseconds timeout, const char* doing) {
  const auto end = run_child(argv, timeout);
  if (!end) return std::unexpected(end.error());
  const auto because = [&](const std::string& why) { return fail(file.string() + ": " + why + said(*end)); };
  if (end->timed_out) return because(std::string("it did not ") + (std::string_view(doing) == "loaded" ? "load" : "make its toolsets") + " within " + format_duration(timeout));
  if (end->signal != 0) return because(std::string("it crashes when it is ") + doing + ": " + strsignal(end->signal));
  auto answer = ordered_json::parse(end->output, nullptr, false);
  if (!answer.is_object()) return because(std::string("it ended the process that ") + doing + " it, with exit code " + std::to_string(end->exit_code));
  if (answer.contains("error")) return fail(answer["error"].get<std::string>());
  return answer;
}

void add_tools(ordered_json& component, const Result<ordered_json>& seen) {
  if (component.value("kind", "") != "toolset") return;
  const auto found = seen ? seen->value(component.value("name", ""), ordered_json::object()) : ordered_json{{"unknown", seen.error().message}};
  if (found.contains("tools")) component["tools"] = found["tools"];
  else component["tools_unknown"] = found.value("unknown", "it publishes none");
}

Result<ordered_json> describe(const std::filesystem::path& self_exe, const std::filesystem::path& file, std::chrono::milliseconds timeout) {
  return ask({self_exe.string(), "--runner", "inspect", std::filesystem::absolute(file).string()}, file, timeout, "loaded");
}

}  // namespace

Result<std::string> descriptor_in_runner(const std::filesystem::path& self_exe, const std::filesystem::path& file, std::chrono::milliseconds timeout) {
  const auto descriptor = describe(self_exe, file, timeout);
  if (!descriptor) return std::unexpected(descriptor.error());
  return descriptor->dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

Result<std::string> inspect_in_runner(const std::filesystem::path& self_exe, const std::filesystem::path& file, std::chrono::milliseconds timeout) {
  const auto real = std::filesystem::absolute(file).string();
  auto descriptor = describe(self_exe, file, timeout);
  if (!descriptor) return std::unexpected(descriptor.error());
  // In a process of its own: what goes wrong while a toolset is made leaves the descriptor readable.
  const Scratch scratch;
  const auto tools = ask({self_exe.string(), "--runner", "tools", real, scratch.path().string()}, file, timeout, "made");
  for (auto& component : (*descriptor)["components"]) add_tools(component, tools);
  return descriptor->dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace agentd::runner
