#include "host/runner/runner.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/plugin/load.hpp"
#include "host/runner/look.hpp"
#include "host/runner/trial.hpp"

namespace agentd::runner {
namespace {

using nlohmann::ordered_json;

// A child whose parent was killed does not wait for ever.
constexpr unsigned kLongestLifeSeconds = 120;
constexpr std::chrono::seconds kCreatePatience{3};

ordered_json to_json(const plugin::Component& c) {
  return {{"kind", plugin::name(c.kind)}, {"interface", c.interface_id},   {"name", c.name},
          {"summary", c.summary},         {"concurrent", c.concurrent},    {"dynamic", c.dynamic},     {"vectors", c.vectors},
          {"settings_schema", c.settings_schema.empty() ? ordered_json() : ordered_json::parse(c.settings_schema)}};
}

ordered_json to_json(const plugin::Library& l) {
  auto components = ordered_json::array();
  for (const auto& c : l.components) components.push_back(to_json(*c));
  return {{"name", l.name}, {"version", l.version}, {"license", l.license}, {"file", l.file.string()}, {"requires", l.requires_services}, {"components", std::move(components)}};
}

// Standard output is ours alone: what the plugin prints goes to standard error.
int keep_output() {
  const int kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  return kept;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = write(fd, text.data(), text.size());
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

int inspect(const std::filesystem::path& file) {
  const int out = keep_output();
  const auto library = plugin::load(file);
  const auto answer = library ? to_json(**library) : ordered_json{{"error", library.error().message}};
  const bool written = write_all(out, answer.dump(2) + "\n");
  // Not exit: destructors and exit handlers of the plugin are none of our business any more.
  _exit(written && library ? 0 : 1);
}

int tools(const std::filesystem::path& file, const std::filesystem::path& folder) {
  const int out = keep_output();
  const bool written = write_all(out, look_at_tools(file, folder, kCreatePatience) + "\n");
  _exit(written ? 0 : 1);
}

int test(const std::filesystem::path& file, const std::filesystem::path& folder) {
  const int out = keep_output();
  bool written = true;
  hold_to_promises(file, folder, [&](const std::string& line) { written = write_all(out, line + "\n") && written; });
  _exit(written ? 0 : 1);
}

}  // namespace

int runner_main(int argc, char** argv) {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  alarm(kLongestLifeSeconds);
  if (argc == 3 && std::string_view(argv[1]) == "inspect") return inspect(argv[2]);
  if (argc == 4 && std::string_view(argv[1]) == "tools") return tools(argv[2], argv[3]);
  if (argc == 4 && std::string_view(argv[1]) == "test") return test(argv[2], argv[3]);
  std::fputs("agentd --runner inspect FILE | tools FILE FOLDER | test FILE FOLDER\n", stderr);
  return 2;
}

}  // namespace agentd::runner
