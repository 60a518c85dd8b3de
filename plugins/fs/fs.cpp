// The toolset `fs`: files below the folders that the operator names.
#include <agentd/sdk/toolset.hpp>
#include <memory>

#include "files.hpp"

using namespace agentd::sdk;

namespace {

using fs_plugin::Sandbox;

struct Files final : Toolset {
  static constexpr bool concurrent = true;

  struct Config {
    std::vector<Path> roots;  // none: every call is refused
    bool read_only = false;
    int64_t max_read_bytes = 1 << 20;
    int64_t max_write_bytes = 8 << 20;
    AGENTD_FIELDS(roots, read_only, max_read_bytes, max_write_bytes)
  };
  // What an agent may see of it.
  struct View : Scope {
    std::shared_ptr<const Sandbox> box;  // shared by every view with the same roots
    bool read_only = false;
  };
  struct Narrow {
    std::optional<std::vector<std::string>> roots;  // a relative one is relative to the host's, where there is one
    std::optional<bool> read_only;
    AGENTD_FIELDS(roots, read_only)
  };

  explicit Files(const Config& config) : own_(std::make_shared<const Sandbox>(texts(config.roots))), read_only_(config.read_only) {
    const auto most = [limit = config.max_read_bytes](int64_t asked) { return std::min(asked, limit); };

    add("list", "List a folder: path, type, size in bytes and time of change of each entry",
        {{"path", "a folder"}, {"depth", "1: the folder itself; more: folders below it too", 1, between(1, 8)}, {"glob", "only names like this, such as *.log; empty: all", ""},
         {"limit", "at most so many entries", 500, between(1, 2000)}},
        Effect::pure, [](const Call& call, const View& view, const std::string& path, int depth, const std::string& glob, int limit) {
          return fs_plugin::list_folder(*view.box, path, depth, limit, glob, [&] { return call.cancelled(); });
        });
    add("stat", "Type, size in bytes, time of change and mode of a file or folder", {{"path", "a file or folder"}}, Effect::pure,
        [](const View& view, const std::string& path) { return fs_plugin::stat_file(*view.box, path); });
    add("read_file", "Read a text file in UTF-8",
        {{"path", "a file"}, {"offset", "begin at this byte", 0, at_least(0)}, {"max_bytes", "read at most so many bytes", 65536, at_least(1)}}, Effect::pure,
        [most](const View& view, const std::string& path, int64_t offset, int64_t max_bytes) {
          return fs_plugin::read_file(*view.box, path, offset, most(max_bytes));
        });
    add("tail", "Read the last lines of a text file", {{"path", "a file"}, {"lines", "how many", 50, between(1, 2000)}}, Effect::pure,
        [limit = config.max_read_bytes](const View& view, const std::string& path, int lines) {
          return fs_plugin::tail_file(*view.box, path, lines, limit);
        });
    add("search", "Find the lines that contain a text, in all files below a folder; the text is taken literally. "
        "Where complete is false there may be more: files_skipped counts what was not looked into, too_large is files of more than 4 MiB",
        {{"text", "what the line contains; case matters"}, {"path", "a folder"}, {"glob", "only in files named like this", "*"}, {"limit", "at most so many lines", 100, between(1, 1000)}},
        Effect::pure, [](const Call& call, const View& view, const std::string& text, const std::string& path, const std::string& glob, int limit) {
          return fs_plugin::search_files(*view.box, path, text, glob, limit, [&] { return call.cancelled(); });
        });
    if (read_only_) return;
    add("write_file", "Replace a text file as a whole, or make it; the folder must exist", {{"path", "a file"}, {"text", "its new content"}}, Effect::idempotent,
        [limit = config.max_write_bytes](const View& view, const std::string& path, const std::string& text) {
          if (view.read_only) throw Error(path + ": this agent may only read files");
          return fs_plugin::write_file(*view.box, path, text, limit);
        });
  }

  View bind(const Narrow& narrow) const {
    View view;
    view.box = own_;
    if (narrow.roots) view.box = std::make_shared<const Sandbox>(*own_, *narrow.roots);
    if (narrow.read_only == false && read_only_) throw Error("read_only: false would widen the host's setting");
    view.read_only = narrow.read_only.value_or(read_only_);
    return view;
  }

 private:
  static std::vector<std::string> texts(const std::vector<Path>& paths) {
    std::vector<std::string> all;
    for (const auto& path : paths) all.push_back(path.text());
    return all;
  }
  std::shared_ptr<const Sandbox> own_;
  bool read_only_;
};

}  // namespace

AGENTD_PLUGIN("fs", "1.0.0", provides<Files>("fs", "Files below the folders that the operator names"), license{"MIT"})
