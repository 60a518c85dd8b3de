// What the tools do, on descriptors that the sandbox opened. All throw sdk::Error; paths in messages are the caller's.
#pragma once
#include <agentd/sdk/types.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox.hpp"

namespace fs_plugin {

struct FileInfo {
  std::string path;
  std::string type;      // file, folder, link, other
  int64_t size = 0;
  std::string modified;  // RFC 3339, UTC
  std::string mode;      // octal
  AGENTD_FIELDS(path, type, size, modified, mode)
};

struct Listing {
  std::vector<FileInfo> entries;  // by path
  bool complete = true;           // false: there are more than were asked for
  AGENTD_FIELDS(entries, complete)
};

struct Text {
  std::string text;
  int64_t size = 0;        // of the whole file, in bytes
  bool complete = true;
  AGENTD_FIELDS(text, size, complete)
};

struct Match {
  std::string path;
  int64_t line = 0;
  std::string text;        // the line, at most 400 bytes
  AGENTD_FIELDS(path, line, text)
};

// What a search did not look into.
struct Skipped {
  int64_t too_large = 0;   // files of more than 4 MiB
  int64_t unreadable = 0;  // files and folders
  int64_t too_deep = 0;    // folders more than 16 levels down
  AGENTD_FIELDS(too_large, unreadable, too_deep)
};

struct Matches {
  std::vector<Match> matches;
  int64_t files_searched = 0;
  Skipped files_skipped;
  bool complete = true;    // false: a bound was reached or something was skipped, so there may be more
  AGENTD_FIELDS(matches, files_searched, files_skipped, complete)
};

struct Written {
  std::string path;
  int64_t size = 0;
  AGENTD_FIELDS(path, size)
};

using Cancelled = std::function<bool()>;

FileInfo stat_file(const Sandbox& box, const std::string& path);
Listing list_folder(const Sandbox& box, const std::string& path, int depth, int limit, const std::string& glob, const Cancelled& cancelled);
Text read_file(const Sandbox& box, const std::string& path, int64_t offset, int64_t max_bytes);
Text tail_file(const Sandbox& box, const std::string& path, int lines, int64_t max_bytes);
Matches search_files(const Sandbox& box, const std::string& path, const std::string& text, const std::string& glob, int limit, const Cancelled& cancelled);
// Replaces the file as a whole and durably: readers see the old content or the new one. An existing file keeps its owner, its group and
// its permissions, never a set-user-id, set-group-id or sticky bit; where they cannot be kept, it is left as it was.
Written write_file(const Sandbox& box, const std::string& path, std::string_view text, int64_t max_bytes);

}  // namespace fs_plugin
