#include "settings.hpp"

#include <agentd/sdk/error.hpp>

namespace agentd::sqlite {

std::filesystem::path file_in(const Settings& settings, const char* name) {
  namespace fs = std::filesystem;
  const fs::path folder(settings.path.value.text());
  if (folder.empty()) throw sdk::Error("path: the folder to keep the files in is not set");
  std::error_code error;
  if (fs::create_directories(folder, error)) fs::permissions(folder, fs::perms::owner_all, error);
  if (!fs::is_directory(folder)) throw sdk::Error("path: " + folder.string() + " is no folder and cannot be made: " + error.message());
  return folder / name;
}

}  // namespace agentd::sqlite
