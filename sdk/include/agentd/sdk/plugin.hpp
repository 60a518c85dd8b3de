// The descriptor of a plugin and its one exported function. Each kind's header includes this one.
#pragma once
#include <agentd/sdk/instance.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace agentd::sdk {
namespace detail {

// Each kind's header specialises this for the classes that derive from its own: interface id, table, and the services it stands on.
template <class T, class = void>
struct Kind {
  static_assert(always_false<T>::value, "agentd: provides<T>: T derives from Toolset, Task, Provider, MemoryStore or EventStore");
};

struct Component {
  std::string interface_id, name, summary, settings_schema;
  uint32_t flags;
  const void* table;
  std::vector<std::string> services;
};

}  // namespace detail

// A component of the plugin: the name is the one that configuration uses.
template <class T>
detail::Component provides(const char* name, const char* summary = "") {
  using K = detail::Kind<T>;
  return {K::interface_id, name, summary, detail::settings_schema<T>(), detail::component_flags<T>(), K::table(), K::services()};
}

struct license {
  const char* spdx;  // "MIT"
};

// Host services without which nothing of this plugin can be made: needs({AGENTD_HOST_HTTP_1}).
struct needs {
  needs(std::initializer_list<const char*> ids) : services(ids.begin(), ids.end()) {}
  std::vector<std::string> services;
};

namespace detail {

// Everything that the descriptor points to. Made once and never destroyed: the host may read it until the process ends.
class Descriptor {
 public:
  template <class... Part>
  Descriptor(const char* name, const char* version, Part... part) : name_(name), version_(version) {
    (take(std::move(part)), ...);
    link();
  }
  Descriptor(const Descriptor&) = delete;
  const agentd_plugin* get() const { return &plugin_; }

 private:
  void take(Component c) {
    for (const auto& id : c.services) require(id);
    components_.push_back(std::move(c));
  }
  void take(license l) { license_ = l.spdx; }
  void take(needs n) {
    for (const auto& id : n.services) require(id);
  }
  void require(const std::string& id) {
    if (std::find(services_.begin(), services_.end(), id) == services_.end()) services_.push_back(id);
  }
  void link() {
    for (const auto& c : components_) {
      records_.push_back({sizeof(agentd_component), c.flags, str(c.interface_id), str(c.name), str(c.summary), str(c.settings_schema), c.table});
    }
    for (const auto& r : records_) pointers_.push_back(&r);
    for (const auto& id : services_) ids_.push_back(str(id));
    plugin_ = {sizeof plugin_, static_cast<uint32_t>(pointers_.size()), str(name_), str(version_), str(license_), pointers_.data(), ids_.data(), ids_.size()};
  }

  std::string name_, version_, license_;
  std::vector<Component> components_;
  std::vector<std::string> services_;
  std::vector<agentd_component> records_;
  std::vector<const agentd_component*> pointers_;
  std::vector<agentd_str> ids_;
  agentd_plugin plugin_{};
};

}  // namespace detail
}  // namespace agentd::sdk

// AGENTD_PLUGIN("geometry", "1.0.0", provides<Geometry>("geometry", "Areas and lengths"), license{"MIT"}), once per plugin.
#define AGENTD_PLUGIN(name, version, ...)                                                             \
  extern "C" AGENTD_EXPORT const agentd_plugin* AGENTD_ENTRY(void) {                                  \
    try {                                                                                             \
      static const auto* const descriptor = new ::agentd::sdk::detail::Descriptor(name, version, __VA_ARGS__); \
      return descriptor->get();                                                                       \
    } catch (...) {                                                                                   \
      return nullptr;                                                                                 \
    }                                                                                                 \
  }
