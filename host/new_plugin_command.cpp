// `agentd plugins new`: the SDK's starters, which stand in the binary, under a name of one's own.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "core/manifest/nearest.hpp"
#include "host/commands.hpp"
#include "host/template_files.hpp"

namespace agentd::host {
namespace {
namespace fs = std::filesystem;

// "toolset", "task", ...: the folders of the starters.
std::vector<std::string> starter_kinds() {
  std::vector<std::string> kinds;
  for (const auto& file : template_files()) {
    std::string kind(file.name.substr(0, file.name.find('/')));
    if (std::ranges::find(kinds, kind) == kinds.end()) kinds.push_back(std::move(kind));
  }
  return kinds;
}

// As a plugin's name is: [a-z0-9][a-z0-9_]{0,63}. It becomes a target of CMake, too, which has some for itself.
std::optional<std::string> unfit_name(const std::string& name) {
  constexpr std::array kTargets = {"all", "clean", "depend", "help", "install", "package", "test"};
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (name.empty() || name.size() > 64 || name.starts_with('_') || !std::ranges::all_of(name, fits)) return "is not a plugin's name: it must be of [a-z0-9_], begin with a letter or digit, and have at most 64";
  if (std::ranges::find(kTargets, name) != kTargets.end()) return "is a name that CMake has for itself; take another";
  return std::nullopt;
}

// In the starter of a kind everything that is named is named "my_KIND".
std::string renamed(std::string_view content, const std::string& kind, const std::string& name) {
  std::string text(content);
  const auto placeholder = "my_" + kind;
  for (auto at = text.find(placeholder); at != text.npos; at = text.find(placeholder, at + name.size())) text.replace(at, placeholder.size(), name);
  return text;
}

Result<std::vector<std::string>> write_starter(const std::string& kind, const std::string& name, const fs::path& folder) {
  std::error_code error;
  std::vector<std::string> written;
  for (const auto& file : template_files()) {
    if (!file.name.starts_with(kind + "/")) continue;
    const auto path = folder / file.name.substr(kind.size() + 1);
    fs::create_directories(path.parent_path(), error);
    std::ofstream out(path, std::ios::binary);
    out << renamed(file.content, kind, name);
    if (!out.flush()) return fail(path.string() + " cannot be written" + (error ? ": " + error.message() : ""));
    written.push_back(path.string());
  }
  return written;
}

std::string quoted(const std::string& word) {
  if (!word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-") == word.npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// Where CMake finds the SDK that came with this binary, unless it looks there anyway.
std::string prefix_option() {
  std::error_code error;
  const auto prefix = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
  if (error || prefix == "/usr" || prefix == "/usr/local" || !fs::exists(prefix / "lib/cmake/agentd", error)) return "";
  return " -DCMAKE_PREFIX_PATH=" + quoted(prefix.string());
}

std::vector<std::string> next_commands(const std::string& kind, const std::string& name, const fs::path& folder) {
  std::vector<std::string> commands = {"cd " + quoted(folder.string()), "cmake -B build" + prefix_option(), "cmake --build build && ctest --test-dir build", "agentd plugins inspect build/" + name + ".so"};
  commands.push_back("agentd plugins test build/" + name + ".so" + (kind == "events" ? R"( --settings '{"path": "trail.jsonl"}')" : ""));
  if (kind == "toolset") commands.push_back("agentd tools list --plugins build");
  return commands;
}

}  // namespace

int perform(const cli::PluginsNew& command, const cli::Output& to) {
  const auto refuse = [&to](int code, const std::string& why) {
    to.err << "agentd: " << why << '\n';
    return code;
  };
  const auto kinds = starter_kinds();
  if (std::ranges::find(kinds, command.kind) == kinds.end()) {
    std::string all;
    for (const auto& kind : kinds) all += (all.empty() ? "; there is " : ", ") + kind;
    return refuse(cli::kUsage, "there is no kind of plugin \"" + command.kind + "\"" + all + manifest::did_you_mean(command.kind, kinds));
  }
  if (const auto why = unfit_name(command.name)) return refuse(cli::kUsage, "\"" + command.name + "\" " + *why);
  const fs::path folder = command.folder.empty() ? command.name : command.folder;
  std::error_code error;
  if (fs::exists(fs::symlink_status(folder, error)) && (!fs::is_directory(folder, error) || !fs::is_empty(folder, error) || error))
    return refuse(cli::kFailed, folder.string() + (fs::is_directory(folder, error) ? " is not empty" : " is no folder") + "; it is left as it is");
  const auto written = write_starter(command.kind, command.name, folder);
  if (!written) return refuse(cli::kFailed, written.error().message);
  const auto next = next_commands(command.kind, command.name, folder);
  if (command.json) {
    const nlohmann::ordered_json told = {{"folder", folder.string()}, {"files", *written}, {"next", next}};
    to.out << told.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    return cli::kDone;
  }
  for (const auto& file : *written) to.out << "wrote " << file << '\n';
  to.out << "next:\n";
  for (const auto& line : next) to.out << "  " << line << '\n';
  return cli::kDone;
}

}  // namespace agentd::host
