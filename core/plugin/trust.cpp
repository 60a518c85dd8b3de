#include "core/plugin/trust.hpp"

#include <grp.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <vector>

namespace agentd::plugin {
namespace {

bool group_is_private(gid_t group) {
  if (group != getegid()) return false;
  std::vector<char> buffer(16 << 10);
  struct group entry {};
  struct group* found = nullptr;
  if (getgrgid_r(group, &entry, buffer.data(), buffer.size(), &found) != 0 || !found) return false;
  return found->gr_mem == nullptr || found->gr_mem[0] == nullptr;
}

// `path` is the file or a folder that it is in.
Result<void> check_one(const std::filesystem::path& path, const std::filesystem::path& file, bool may_be_sticky) {
  struct stat is {};
  if (stat(path.c_str(), &is) != 0) return fail(path.string() + ": " + std::generic_category().message(errno));
  const auto refuse = [&](const std::string& who, const std::string& fix) {
    const auto what = path == file ? " is a file that " + who + " may write to; " : " is a folder that " + who + " may write to, and " + file.string() + " is in it; ";
    return fail(path.string() + what + fix);
  };
  if (is.st_uid != 0 && is.st_uid != geteuid()) return refuse("another user (" + std::to_string(is.st_uid) + ")", "chown it to root or to the user that runs agentd");
  if (may_be_sticky && is.st_mode & S_ISVTX) return {};
  if (is.st_mode & S_IWOTH) return refuse("everybody", "chmod o-w it");
  if (is.st_mode & S_IWGRP && !group_is_private(is.st_gid)) return refuse("its group", "chmod g-w it");
  return {};
}

}  // namespace

Result<void> check_writers(const std::filesystem::path& file) {
  if (auto safe = check_one(file, file, false); !safe) return safe;
  auto folder = file.parent_path();
  if (auto safe = check_one(folder, file, false); !safe) return safe;
  while (folder != folder.root_path()) {
    folder = folder.parent_path();
    if (auto safe = check_one(folder, file, true); !safe) return safe;
  }
  return {};
}

std::string sha256(std::span<const std::byte> bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) std::abort();  // out of memory
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) (text += kHex[digest[i] >> 4]) += kHex[digest[i] & 15];
  return text;
}

}  // namespace agentd::plugin
