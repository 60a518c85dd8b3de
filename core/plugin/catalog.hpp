// What is installed: every plugin that was found, loaded or not, and why not. A broken plugin disables itself, not the host.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/plugin/library.hpp"

namespace agentd::plugin {

// The engine thread only; outlives all instances. Libraries stay mapped even after it is gone.
class Catalog {
 public:
  struct Options {
    std::vector<std::filesystem::path> folders;  // in search order; the first that has a name wins. The current folder is never meant
    std::map<std::string, std::string> sha256;   // of a plugin by its name, which must then be its file's stem as well
    std::function<Result<std::unique_ptr<Library>>(const std::filesystem::path& file, const std::string& sha256)> load = {};  // none: into this process
  };
  struct Broken {
    std::filesystem::path file;
    std::string name;    // the descriptor's, or the file's stem when there is none
    std::string reason;  // one sentence that names the file
  };
  struct Found {
    Library* library = nullptr;
    Component* component = nullptr;
  };

  explicit Catalog(Options options) : options_(std::move(options)) {}

  // Loads every file NAME.so that was not there before; what could not be loaded is tried again when it has changed. Answers the files
  // that changed since they were loaded: they ask for a restart.
  std::vector<std::filesystem::path> scan();
  // Files that are not as they were when they were loaded, or gone: these ask for a restart, too.
  struct Outdated {
    std::filesystem::path file;
    bool is_gone = false;
    friend bool operator==(const Outdated&, const Outdated&) = default;
  };
  std::vector<Outdated> outdated() const;

  const std::vector<std::unique_ptr<Library>>& libraries() const { return libraries_; }
  const std::vector<Broken>& broken() const { return broken_; }
  // By the name that configuration uses. The error says why a broken one is not there, or what there is.
  Result<Found> find(Kind kind, std::string_view component) const;

 private:
  struct Stamp {
    std::filesystem::file_time_type time;
    std::uintmax_t size = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  struct Seen {
    std::filesystem::path file;
    Stamp stamp;
  };
  static Stamp stamp_of(const std::filesystem::path& file);
  void take(const std::filesystem::path& file);
  bool take_again(const std::filesystem::path& file);
  Result<std::unique_ptr<Library>> load_file(const std::filesystem::path& file) const;
  Result<void> check_names(const Library& library) const;

  const Options options_;
  std::map<std::filesystem::path, Seen> seen_;  // by the file that all links lead to
  std::vector<std::unique_ptr<Library>> libraries_;
  std::vector<Broken> broken_;
};

}  // namespace agentd::plugin
