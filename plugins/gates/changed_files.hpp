// The gate `changed_files`: a run where files have changed, with what has changed as parameters.
#pragma once
#include <agentd/sdk/task.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace gates_plugin {

struct ChangedFile {
  std::string path;
  int64_t size = 0;   // bytes
  std::string mtime;  // "2026-12-01T09:00:00Z"
  AGENTD_FIELDS(path, size, mtime)
};

struct Changes {
  std::vector<ChangedFile> files;    // new or changed
  std::vector<std::string> removed;  // paths
  int64_t more = 0;                  // that are not listed
  AGENTD_FIELDS(files, removed, more)
};

// By path: size, and nanoseconds of its last change since 1970.
using SeenFiles = std::map<std::string, std::vector<int64_t>>;

inline constexpr std::size_t kMostFiles = 10'000;  // that are looked at
inline constexpr std::size_t kMostListed = 200;

// Regular files below the roots; symbolic links are not followed. Throws where a root cannot be read, and for more than
// kMostFiles.
SeenFiles look_at(const std::vector<std::string>& roots, const std::function<bool()>& cancelled);

Changes changes(const SeenFiles& before, const SeenFiles& now);

struct ChangedFiles : agentd::sdk::Task {
  static constexpr bool concurrent = true;
  struct Params {
    std::vector<std::string> roots;  // absolute
    AGENTD_FIELDS(roots)
  };
  agentd::sdk::Outcome run(const Params& params, agentd::sdk::Run& run);
};

}  // namespace gates_plugin
