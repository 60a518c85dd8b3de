// The list of tools that a toolset publishes. Private to the room.
#pragma once
#include <agentd/abi/toolset.h>

#include <optional>

#include "core/base/mutex.hpp"
#include "core/plugin/instance.hpp"
#include "core/port/tool.hpp"

namespace agentd::plugin {

// Any thread.
class PublishedTools final : public Extension {
 public:
  static constexpr std::uint64_t kMost = 4096;

  const void* service(std::string_view id) const override;
  port::ToolList list() const;
  std::optional<std::string> complaint() const;  // why the latest list was refused; the one before it stays

  // The whole list or, in the error, the first thing wrong with it.
  static Result<port::ToolList> read(const agentd_tool* const* tools, std::uint64_t count, const port::Cleaner* cleaner);

 private:
  static std::int32_t publish(agentd_host* host, const agentd_tool* const* tools, std::uint64_t count) noexcept;

  mutable Mutex mutex_;
  port::ToolList list_ AGENTD_GUARDED_BY(mutex_) = std::make_shared<const std::vector<port::ToolSpec>>();
  std::optional<std::string> complaint_ AGENTD_GUARDED_BY(mutex_);
};

}  // namespace agentd::plugin
