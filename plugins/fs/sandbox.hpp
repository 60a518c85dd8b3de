// Files below some folders, and nothing else: every path is resolved by the kernel beneath its root, so neither "..", nor a symbolic
// link, nor a folder swapped for a link while we look, leads out.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace fs_plugin {

// An open file descriptor, closed with its owner.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

// Any thread.
class Sandbox {
 public:
  // Folders by absolute path. Throws when one is none.
  explicit Sandbox(const std::vector<std::string>& roots);
  // Fewer or deeper folders than another sandbox has, resolved beneath its roots. Throws, naming it, when one is not within them.
  Sandbox(const Sandbox& wider, const std::vector<std::string>& roots);

  // A path as a model writes it: absolute, within one of the roots; or relative, when there is one root.
  // All throw sdk::Error with the path in it.
  Fd open(std::string_view path, int flags) const;
  // The folder that holds the path's last part, which is left in `name`.
  Fd open_parent(std::string_view path, std::string& name) const;
  // The path in its absolute form, without "." and "..", within a root.
  std::string absolute(std::string_view path) const;

 private:
  struct Root {
    std::string path;  // absolute and clean
    std::string base;  // the folder that is trusted to be what its name says
    std::string sub;   // from there to the root, resolved beneath it; "." when they are the same
  };
  struct Place {
    const Root* root;
    std::string below;  // relative to it; "." for the root itself
  };
  Place place(std::string_view path) const;
  static Fd open_root(const Root& root);

  std::vector<Root> roots_;
};

// "/var/log/" and "/var/./log" are "/var/log"; ".." goes up. Throws for a relative path.
std::string clean_path(std::string_view path);

// Opens a relative path beneath a folder's descriptor; -1 with errno, EXDEV where the path leads out.
int open_beneath(int folder, const char* path, int flags);
// The same for kernels without openat2 (before 5.6): a step at a time, and no symbolic link at all, not even one that stays inside.
int walk_beneath(int folder, const char* path, int flags);

}  // namespace fs_plugin
