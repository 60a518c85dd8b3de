// A folder of small values, one file each, durable and private: what agentd.host.kv/1 stands on.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/mutex.hpp"
#include "core/base/result.hpp"

namespace agentd::plugin {

// Any thread that may block. Files 0600 in a folder 0700 that the first put makes. A crash leaves the old value or the new one.
class KvFiles {
 public:
  static constexpr std::size_t kLargestValue = 1 << 20, kLongestKey = 1024, kMostKeys = 10'000;

  explicit KvFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<std::optional<std::string>> get(std::string_view key);
  Result<void> put(std::string_view key, std::string_view value);
  Result<void> erase(std::string_view key);

 private:
  std::filesystem::path file_of(std::string_view key) const;
  Result<void> make_room(const std::filesystem::path& file) AGENTD_REQUIRES(mutex_);
  Result<void> sync_folder() const;

  const std::filesystem::path folder_;
  Mutex mutex_;
};

}  // namespace agentd::plugin
