// Files and folders for agents, within the folders that the host's settings name.
#include <agentd/sdk/toolset.hpp>

#include <algorithm>

#include "folder.hpp"
#include "read.hpp"
#include "root.hpp"
#include "search.hpp"
#include "write.hpp"

using namespace agentd::sdk;

namespace {

constexpr std::int64_t kReadBytes = 256 << 10;
constexpr int kDepth = 16;

struct View : Scope {
  std::vector<fs::Root> roots;
  bool read_only = false;
};

std::int64_t within(std::int64_t value, std::int64_t low, std::int64_t high, const char* name) {
  if (value >= low && value <= high) return value;
  throw Error(std::string(name) + " is from " + std::to_string(low) + " to " + std::to_string(high));
}

// A folder's content; without a path, the folders there are.
fs::Listing list(const View& view, const std::string& path, int depth, std::int64_t max_entries) {
  const auto bound = static_cast<std::size_t>(within(max_entries, 1, 2000, "max_entries"));
  if (!path.empty() || view.roots.size() == 1) return fs::list_place(fs::locate(view.roots, path), static_cast<int>(within(depth, 1, kDepth, "depth")), bound);
  fs::Listing listing;
  for (const auto& root : view.roots) listing.entries.push_back(fs::stat_place({&root, ""}));
  return listing;
}

}  // namespace

struct Files : Toolset {
  static constexpr bool concurrent = true;

  struct Config {
    std::vector<std::string> roots;            // absolute folders; none: every call is refused
    bool read_only = false;
    std::int64_t max_write_bytes = 8 << 20;
    AGENTD_FIELDS(roots, read_only, max_write_bytes)
  };
  struct Narrow {
    std::optional<std::vector<std::string>> roots;
    std::optional<bool> read_only;
    AGENTD_FIELDS(roots, read_only)
  };

  explicit Files(const Config& config) : config_(config) {
    for (const auto& root : config.roots) roots_.push_back(fs::make_root(root));
    add_reading();
    if (!config.read_only) add_writing();
  }

  View bind(const Narrow& narrow) const {
    View view;
    view.read_only = config_.read_only || narrow.read_only.value_or(false);
    if (config_.read_only && narrow.read_only == false) throw Error("read_only: the host allows reading only");
    view.roots = roots_;
    if (!narrow.roots) return view;
    view.roots.clear();
    for (const auto& root : *narrow.roots) view.roots.push_back(fs::narrow(roots_, root));
    return view;
  }

 private:
  void add_reading() {
    const Param path{"path", "absolute, or relative to the only allowed folder"};
    add("list", "List a folder; without a path, the folders that may be used", {{"path", "absolute, or relative to the only allowed folder", ""}, {"depth", "levels", 1}, {"max_entries", "at most 2000", 500}}, Effect::pure, list);
    add("stat", "Type, size and time of a file or folder", {path}, Effect::pure,
        [](const View& view, const std::string& p) { return fs::stat_place(fs::locate(view.roots, p)); });
    add("read_file", "Read a text file; a long one in parts, going on at next_offset",
        {path, {"offset", "in bytes", 0}, {"max_bytes", "at most 262144", 65536}}, Effect::pure,
        [](const View& view, const std::string& p, std::int64_t offset, std::int64_t max_bytes) {
          return fs::read_place(fs::locate(view.roots, p), within(offset, 0, INT64_MAX / 2, "offset"), within(max_bytes, 1, kReadBytes, "max_bytes"));
        });
    add("tail", "The last lines of a text file", {path, {"lines", "at most 5000", 50}}, Effect::pure,
        [](const View& view, const std::string& p, std::int64_t lines) {
          return fs::tail_place(fs::locate(view.roots, p), within(lines, 1, 5000, "lines"), kReadBytes);
        });
    add("search", "Find lines that contain a text in the files of a folder, or files by name",
        {{"path", "a folder", ""}, {"text", "plain text; empty: find files by name", ""}, {"name", "of the files: * any text, ? any character", "*"},
         {"ignore_case", "of ASCII letters", false}, {"max_matches", "at most 1000", 100}},
        Effect::pure,
        [](Call& call, const View& view, const std::string& p, const std::string& text, const std::string& name, bool ignore_case, std::int64_t max_matches) {
          const fs::Query query{text, name, ignore_case, static_cast<std::size_t>(within(max_matches, 1, 1000, "max_matches"))};
          return fs::search_place(fs::locate(view.roots, p), query, call);
        });
  }
  void add_writing() {
    add("write_file", "Write a text file whole, replacing what is there",
        {{"path", "absolute, or relative to the only allowed folder"}, {"content", "the whole text"}, {"make_folders", "those above that are missing", false}}, Effect::idempotent,
        [this](Call& call, const View& view, const std::string& p, const std::string& content, bool make_folders) {
          if (view.read_only) throw Error("this agent may only read files");
          if (static_cast<std::int64_t>(content.size()) > config_.max_write_bytes) throw Error("content is longer than " + std::to_string(config_.max_write_bytes) + " bytes");
          return fs::write_place(fs::locate(view.roots, p), content, make_folders, call.id());
        });
  }

  Config config_;
  std::vector<fs::Root> roots_;
};

AGENTD_PLUGIN("fs", "1.0.0", provides<Files>("fs", "Files and folders below configured roots"))
