// Plugins on a world whose time stands still and whose jobs run inline, or on the real one.
#pragma once
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include "core/plugin/instances.hpp"
#include "core/plugin/load.hpp"
#include "tests/support/real_world.hpp"
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
  enum class Time { stands_still, is_real };  // real: with threads and the network
  explicit PluginWorld(Time time = Time::stands_still) : real_(time == Time::is_real ? std::make_unique<support::RealWorld>() : nullptr) {
    plugin::Instances::Options options;
    plugin::Services services;
    services.log = [this](plugin::LogLevel, std::string_view, std::string_view text) {
      const std::lock_guard lock(mutex_);
      log_ += std::string(text) + "\n";
    };
    if (real_) services.http = &real_->http();
    else options.make_workers = [this](const plugin::Library&) { return std::make_unique<plugin::InlineWorkers>(world_.io().get_executor()); };
    instances_ = std::make_unique<plugin::Instances>(real_ ? real_->world() : world_.world(), services, std::move(options));
  }
  ~PluginWorld() { run(instances_->close()); }

  template <class T>
  T run(Async<T> story) {
    return real_ ? real_->run(std::move(story)) : world_.run(std::move(story));
  }
  support::VirtualWorld& world() { return world_; }
  plugin::Instances& instances() { return *instances_; }
  std::string log() const {
    const std::lock_guard lock(mutex_);
    return log_;
  }

 private:
  support::VirtualWorld world_;
  const std::unique_ptr<support::RealWorld> real_;
  mutable std::mutex mutex_;
  std::string log_;
  std::unique_ptr<plugin::Instances> instances_;
};

}  // namespace agentd::conformance
