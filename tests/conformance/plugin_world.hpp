// Plugins on a world whose time stands still and whose jobs run inline.
#pragma once
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/plugin/instances.hpp"
#include "core/plugin/load.hpp"
#include "tests/support/virtual_world.hpp"

namespace agentd::conformance {

class Folder {
 public:
  explicit Folder(const std::filesystem::path& under = std::filesystem::temp_directory_path()) {
    std::string text = (under / "agentd-XXXXXX").string();
    path_ = ::mkdtemp(text.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Libraries stay mapped for the life of the process. What describes them belongs to one engine thread.
inline plugin::Library& library_of(const char* file) {
  static thread_local std::map<std::string, std::unique_ptr<plugin::Library>> loaded;
  auto& library = loaded[file];
  if (!library) {
    auto mapped = plugin::map_file(file);
    if (!mapped) throw std::runtime_error(mapped.error().message);
    library = std::move(*mapped);
  }
  return *library;
}

class PluginWorld {
 public:
  PluginWorld() {
    plugin::Instances::Options options;
    options.make_workers = [this](const plugin::Library&) { return std::make_unique<plugin::InlineWorkers>(world_.io().get_executor()); };
    plugin::Services services;
    services.log = [this](plugin::LogLevel, std::string_view, std::string_view text) { log_ += std::string(text) + "\n"; };
    instances_ = std::make_unique<plugin::Instances>(world_.world(), services, std::move(options));
  }
  ~PluginWorld() { world_.run(instances_->close()); }

  support::VirtualWorld& world() { return world_; }
  plugin::Instances& instances() { return *instances_; }
  const std::string& log() const { return log_; }

 private:
  support::VirtualWorld world_;
  std::string log_;
  std::unique_ptr<plugin::Instances> instances_;
};

}  // namespace agentd::conformance
