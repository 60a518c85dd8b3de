#include "changed_files.hpp"

#include <sys/stat.h>
#include <agentd/sdk/utf8.hpp>

#include <ctime>
#include <filesystem>
#include <functional>

namespace gates_plugin {
namespace fs = std::filesystem;
namespace {

using agentd::sdk::Error;
using agentd::sdk::Failure;

constexpr int64_t kNanos = 1'000'000'000;

std::string as_text(int64_t nanos) {
  const std::time_t seconds = nanos / kNanos;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

// Nothing when it is no regular file, or gone meanwhile.
void add(SeenFiles& seen, const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  if (seen.size() >= kMostFiles)
    throw Error("there are more than " + std::to_string(kMostFiles) + " files below roots; name narrower ones");
  seen[agentd::sdk::valid_utf8(path)] = {status.st_size, status.st_mtim.tv_sec * kNanos + status.st_mtim.tv_nsec};
}

void look_below(const std::string& root, const std::function<bool()>& cancelled, SeenFiles& seen) {
  if (root.empty() || root.front() != '/') throw Error("roots: \"" + agentd::sdk::valid_utf8(root) + "\" is not absolute");
  std::error_code error;
  const auto status = fs::symlink_status(root, error);
  if (fs::is_regular_file(status)) return add(seen, root);
  if (!fs::is_directory(status))
    throw Error("roots: there is no file or folder " + agentd::sdk::valid_utf8(root) + " now", Failure::retryable);
  fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, error);
  if (error) throw Error("roots: " + agentd::sdk::valid_utf8(root) + ": " + error.message(), Failure::retryable);
  for (std::size_t steps = 0; at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (++steps % 256 == 0 && cancelled()) throw Error("cancelled", Failure::cancelled);
    if (steps > 20 * kMostFiles) throw Error("there is too much below roots; name narrower ones");
    add(seen, at->path().string());
  }
  if (error)
    throw Error("roots: " + agentd::sdk::valid_utf8(root) + ": " + error.message(),
                Failure::retryable);  // a folder went away meanwhile
}

}  // namespace

SeenFiles look_at(const std::vector<std::string>& roots, const std::function<bool()>& cancelled) {
  if (roots.empty()) throw Error("roots: name at least one folder");
  SeenFiles seen;
  for (const auto& root : roots) look_below(root, cancelled, seen);
  return seen;
}

Changes changes(const SeenFiles& before, const SeenFiles& now) {
  Changes found;
  const auto has_room = [&] { return found.files.size() + found.removed.size() < kMostListed || (++found.more, false); };
  for (const auto& [path, file] : now) {
    const auto was = before.find(path);
    if ((was == before.end() || was->second != file) && has_room()) found.files.push_back({path, file[0], as_text(file[1])});
  }
  for (const auto& [path, file] : before)
    if (now.count(path) == 0 && has_room()) found.removed.push_back(path);
  return found;
}

namespace {

struct RunParams {
  Changes changed;
  AGENTD_FIELDS(changed)
};

}  // namespace

agentd::sdk::Outcome ChangedFiles::run(const Params& params, agentd::sdk::Run& run) {
  using agentd::sdk::Outcome;
  const auto now = look_at(params.roots, [&run] { return run.cancelled(); });
  const auto found = changes(run.state_as<SeenFiles>().value_or(SeenFiles()), now);
  if (found.files.empty() && found.removed.empty()) return Outcome::stop("no file has changed since the last successful run");
  return Outcome::proceed().params(RunParams{found}).state(now);
}

}  // namespace gates_plugin
