// A plugin's shared library: mapped once, never unloaded, with what its descriptor says copied out.
#pragma once
#include <agentd/abi/base.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/mutex.hpp"
#include "core/base/result.hpp"
#include "core/plugin/admission.hpp"

namespace agentd::plugin {

enum class Kind { toolset, task, provider, memory, events, ledger, unsupported };
const char* name(Kind kind);

// One name of the configuration. Lives as long as its library.
struct Component {
  Component(const agentd_component& from, std::size_t max_concurrent);

  std::string interface_id;
  Kind kind = Kind::unsupported;
  std::string name;
  std::string summary;
  std::string settings_schema;
  bool concurrent = false, dynamic = false, vectors = false;
  const void* table = nullptr;
  Admission admission;  // the engine thread
};

// Lives as long as the process: the code behind it is never unmapped.
class Library {
 public:
  // The bound of operations in flight of a component for which the configuration says nothing.
  static constexpr std::size_t kMaxConcurrent = 16'384;

  // Checks a descriptor and copies it. The error names what is wrong.
  static Result<std::unique_ptr<Library>> describe(const agentd_plugin* descriptor, std::filesystem::path file);

  std::filesystem::path file;
  std::string name, version, license;
  std::vector<std::string> requires_services;
  std::vector<std::unique_ptr<Component>> components;
  Component* component(Kind kind, std::string_view wanted) const;

  // ---- any thread
  void count_stale() { stale_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t stale_finishes() const { return stale_.load(std::memory_order_relaxed); }
  void count_hanging(int by) { hanging_.fetch_add(by, std::memory_order_relaxed); }
  int hanging_calls() const { return hanging_.load(std::memory_order_relaxed); }  // that ignored their deadline and have not ended since
  void disable(std::string reason);              // the first reason stays
  std::optional<std::string> disabled() const;   // why
  bool is_disabled() const { return is_disabled_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::uint64_t> stale_{0};
  std::atomic<int> hanging_{0};
  std::atomic<bool> is_disabled_{false};
  mutable Mutex mutex_;
  std::string reason_ AGENTD_GUARDED_BY(mutex_);
};

}  // namespace agentd::plugin
