#include "sandbox.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <agentd/sdk/error.hpp>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

namespace fs_plugin {
namespace {

using agentd::sdk::Error;

[[noreturn]] void refuse(std::string_view path, const std::string& why) { throw Error(std::string(path) + ": " + why); }

bool is_link(int fd) {
  struct stat s {};
  return fstat(fd, &s) == 0 && S_ISLNK(s.st_mode);
}

bool is_link(int folder, const std::string& name) {
  struct stat s {};
  return fstatat(folder, name.c_str(), &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(s.st_mode);
}

std::string reason(int error) {
  if (error == EXDEV || error == ELOOP) return "leads out of the folders that are allowed";
  return std::generic_category().message(error);
}

bool within(std::string_view path, std::string_view folder) {
  return folder == "/" || path == folder || (path.size() > folder.size() && path.substr(0, folder.size()) == folder && path[folder.size()] == '/');
}

// From a folder down to a path within it.
std::string below(const std::string& path, const std::string& folder) {
  if (path == folder) return ".";
  return path.substr(folder == "/" ? 1 : folder.size() + 1);
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}
Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

int walk_beneath(int folder, const char* path, int flags) {
  Fd at(fcntl(folder, F_DUPFD_CLOEXEC, 0));
  std::string_view rest(path);
  for (;;) {
    const auto slash = rest.find('/');
    const std::string part(rest.substr(0, slash));
    const bool last = slash == rest.npos;
    Fd next(part == ".." ? -1 : openat(at.get(), part.c_str(), (last ? flags : O_PATH | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC));
    if (part == ".." || (next.get() >= 0 ? is_link(next.get()) : is_link(at.get(), part))) errno = EXDEV;
    else if (next.get() >= 0 && last) return next.release();
    else if (next.get() >= 0) {
      at = std::move(next);
      rest.remove_prefix(slash + 1);
      continue;
    }
    return -1;
  }
}

int open_beneath(int folder, const char* path, int flags) {
  static std::atomic<bool> kernel_knows{true};
  if (kernel_knows) {
    open_how how{};
    how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    for (int tries = 0; tries < 16; ++tries) {
      const long fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
      if (fd >= 0) return static_cast<int>(fd);
      if (errno == EAGAIN) continue;  // a rename raced with "..": resolve again
      if (errno != ENOSYS && errno != EPERM) return -1;
      break;
    }
    if (errno == EAGAIN) return -1;
    if (errno == ENOSYS) kernel_knows = false;  // EPERM may be a seccomp filter or the file itself: the walk tells
  }
  return walk_beneath(folder, path, flags);
}

std::string clean_path(std::string_view path) {
  if (path.empty() || path.front() != '/') refuse(path, "is not an absolute path");
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    path.remove_prefix(slash == path.npos ? path.size() : slash + 1);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  std::string clean;
  for (const auto part : parts) (clean += '/') += part;
  return clean.empty() ? "/" : clean;
}

Sandbox::Sandbox(const std::vector<std::string>& roots) {
  for (const auto& root : roots) {
    auto clean = clean_path(root);
    roots_.push_back({clean, clean, "."});
    open_root(roots_.back());
  }
}

Sandbox::Sandbox(const Sandbox& wider, const std::vector<std::string>& roots) {
  for (const auto& root : roots) {
    const bool relative = !root.empty() && root.front() != '/' && wider.roots_.size() == 1;
    const auto clean = clean_path(relative ? wider.roots_.front().path + "/" + root : root);
    const auto holds = std::find_if(wider.roots_.begin(), wider.roots_.end(), [&](const Root& r) { return within(clean, r.path); });
    if (holds == wider.roots_.end()) throw Error("roots: \"" + root + "\" would widen the host's roots");
    roots_.push_back({clean, holds->base, below(clean, holds->base)});
    open_root(roots_.back());
  }
}

Fd Sandbox::open_root(const Root& root) {
  Fd base(::open(root.base.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (base.get() < 0) refuse(root.path, "this root cannot be opened: " + reason(errno));
  if (root.sub == ".") return base;
  Fd opened(open_beneath(base.get(), root.sub.c_str(), O_PATH | O_DIRECTORY));
  if (opened.get() < 0) refuse(root.path, "this root cannot be opened: " + reason(errno));
  return opened;
}

Sandbox::Place Sandbox::place(std::string_view path) const {
  if (roots_.empty()) refuse(path, "no folder is allowed; the operator sets `roots` of this toolset");
  if (path.find('\0') != path.npos) refuse("path", "contains a NUL");
  std::string full;
  if (!path.empty() && path.front() == '/') {
    full = clean_path(path);
  } else {
    if (roots_.size() > 1) refuse(path, "is relative, but there are several roots; write the absolute path");
    full = clean_path(roots_.front().path + "/" + std::string(path));
  }
  const Root* best = nullptr;  // the innermost root that holds it
  for (const auto& root : roots_)
    if (within(full, root.path) && (!best || root.path.size() > best->path.size())) best = &root;
  if (!best) refuse(path, reason(EXDEV));
  return {best, below(full, best->path)};
}

std::string Sandbox::absolute(std::string_view path) const {
  const auto at = place(path);
  if (at.below == ".") return at.root->path;
  return (at.root->path == "/" ? "" : at.root->path) + "/" + at.below;
}

Fd Sandbox::open(std::string_view path, int flags) const {
  const auto at = place(path);
  const Fd root = open_root(*at.root);
  Fd opened(open_beneath(root.get(), at.below.c_str(), flags));
  if (opened.get() < 0) refuse(path, reason(errno));
  return opened;
}

Fd Sandbox::open_parent(std::string_view path, std::string& name) const {
  const auto at = place(path);
  if (at.below == ".") refuse(path, "is a folder");
  const auto slash = at.below.rfind('/');
  name = slash == at.below.npos ? at.below : at.below.substr(slash + 1);
  const std::string parent = slash == at.below.npos ? "." : at.below.substr(0, slash);
  const Fd root = open_root(*at.root);
  Fd opened(open_beneath(root.get(), parent.c_str(), O_RDONLY | O_DIRECTORY));
  if (opened.get() < 0) refuse(path, reason(errno));
  return opened;
}

}  // namespace fs_plugin
