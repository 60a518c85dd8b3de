#include "host/places.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

namespace agentd::host {
namespace fs = std::filesystem;
namespace {

std::string variable(const manifest::Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

fs::path data_home(const manifest::Environment& environment) {
  if (const auto home = variable(environment, "XDG_DATA_HOME"); !home.empty()) return home;
  const auto home = variable(environment, "HOME");
  return home.empty() ? fs::path() : fs::path(home) / ".local/share";
}

Result<void> read_env_file(const std::string& file, manifest::Environment& environment) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!(text << in.rdbuf())) return fail("--env-file: " + file + " cannot be read");
  std::vector<manifest::Problem> problems;
  manifest::add_env_file(text.str(), file, environment, problems);
  if (!problems.empty()) return fail(manifest::to_text(problems.front()));
  return {};
}

}  // namespace

manifest::Environment environment_of(const char* const* variables) {
  manifest::Environment environment;
  for (; variables && *variables; ++variables) {
    const std::string entry = *variables;
    const auto equals = entry.find('=');
    if (equals != std::string::npos) environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return environment;
}

Result<manifest::Surroundings> surroundings_of(const cli::Surroundings& asked, manifest::Environment environment) {
  if (!asked.env_file.empty()) {
    if (auto read = read_env_file(asked.env_file, environment); !read) return std::unexpected(read.error());
  }
  const auto here = fs::current_path();
  manifest::Surroundings around{.environment = std::move(environment), .working_folder = here.string(), .config_file = asked.config, .flags = {}};
  if (!asked.agents.empty()) around.flags.push_back({"--agents", "host.agent_dirs", asked.agents});
  if (!asked.state.empty()) around.flags.push_back({"--state", "host.state_dir", {asked.state}});
  return around;
}

std::vector<fs::path> plugin_folders(const cli::Surroundings& asked, const manifest::HostConfig& config, const manifest::Environment& environment) {
  std::vector<fs::path> wanted(asked.plugins.begin(), asked.plugins.end());
  for (const auto& folder : split(variable(environment, "AGENTD_PLUGIN_PATH"), ':')) wanted.emplace_back(folder);
  wanted.insert(wanted.end(), config.host.plugin_dirs.begin(), config.host.plugin_dirs.end());
  if (const auto home = data_home(environment); !home.empty()) wanted.push_back(home / "agentd/plugins");
  std::error_code error;
  const auto executable = fs::read_symlink("/proc/self/exe", error);
  if (!error) wanted.push_back(executable.parent_path().parent_path() / "lib/agentd/plugins");
  std::vector<fs::path> folders;
  for (const auto& folder : wanted) {
    const auto real = fs::canonical(folder, error);
    if (!error && fs::is_directory(real, error) && std::ranges::find(folders, real) == folders.end()) folders.push_back(real);
  }
  return folders;
}

Result<void> make_private_folder(const fs::path& folder) {
  std::error_code error;
  struct stat s {};
  if (stat(folder.c_str(), &s) == 0 && S_ISDIR(s.st_mode)) {
    if (s.st_uid == geteuid() && (s.st_mode & 077) != 0 && chmod(folder.c_str(), 0700) != 0)
      return fail(folder.string() + " is open to others and cannot be closed: " + std::generic_category().message(errno));
    if (s.st_uid != geteuid() && (s.st_mode & 02) != 0) return fail(folder.string() + " can be written by others and belongs to somebody else; name another state_dir");
    return {};
  }
  fs::create_directories(folder.parent_path(), error);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return fail(folder.string() + " cannot be made: " + std::generic_category().message(errno));
  return {};
}

Result<TemporaryFolder> TemporaryFolder::make() {
  std::error_code error;
  auto base = fs::temp_directory_path(error);
  if (error) base = "/tmp";
  std::string name = (base / "agentd-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return fail("no temporary folder below " + base.string() + ": " + std::generic_category().message(errno));
  return TemporaryFolder(name);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace agentd::host
