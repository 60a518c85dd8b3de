// An event store with real time, threads and network, and what it says when it cannot be opened.
#pragma once
#include <memory>
#include <string>

#include "core/plugin/ports.hpp"
#include "tests/conformance/plugin_world.hpp"

namespace agentd::conformance {

class OnlineEvents {
 public:
  OnlineEvents(const char* file, const char* component, const std::string& settings) {
    auto& library = library_of(file);
    auto opened = plugins_.run(plugin::open_events(plugins_.instances(), {&library, library.component(plugin::Kind::events, component)}, "copy", settings));
    if (opened) store_ = std::move(*opened);
    else error_ = opened.error().message;
  }
  Result<void> append(std::vector<port::Event> events) { return plugins_.run(store_->append(std::move(events))); }
  std::string log() const { return plugins_.log(); }
  const std::string& error() const { return error_; }  // empty: it was opened

 private:
  PluginWorld plugins_{PluginWorld::Time::is_real};
  std::unique_ptr<port::EventStore> store_;
  std::string error_;
};

}  // namespace agentd::conformance
