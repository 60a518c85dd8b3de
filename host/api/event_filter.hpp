// Which events somebody asked for.
#pragma once
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/port/events.hpp"

namespace agentd::api {

struct EventFilter {
  std::string agent, run, session;  // empty: any
  std::vector<std::string> types;   // empty: any
  bool fits(const port::Event& event) const;
  // The record after which to begin for what comes after an event: a run's are not looked for before the record that brought it
  // in.
  Position begin(EventPlace since) const;
};

}  // namespace agentd::api
