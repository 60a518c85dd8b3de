// Where the host looks for plugins and keeps what must last. Pure but for the file system.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/manifest/config.hpp"
#include "host/cli/command.hpp"

namespace agentd::host {

// The process's environment as a value.
manifest::Environment environment_of(const char* const* variables);

// What a command line says about configuration, in the form the manifest room reads. An error: an --env-file that cannot be read.
Result<manifest::Surroundings> surroundings_of(const cli::Surroundings& asked, manifest::Environment environment);

// --plugins, AGENTD_PLUGIN_PATH, the configuration, $XDG_DATA_HOME/agentd/plugins, the install's. Only folders that are there.
std::vector<std::filesystem::path> plugin_folders(const cli::Surroundings& asked, const manifest::HostConfig& config, const manifest::Environment& environment);

// Makes the folder, 0700, if it is not there.
Result<void> make_private_folder(const std::filesystem::path& folder);

// A new folder for one run, removed with this object.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> make();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace agentd::host
