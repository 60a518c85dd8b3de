#include "host/recipients.hpp"

#include <algorithm>

namespace agentd::host {
namespace {

std::vector<manifest::Deliver> delivers_of(const Members& members, const run::RunEnd& end) {
  if (end.spec) return end.spec->deliver;
  const auto member = members.find(end.agent_id);
  return member && member->delivers ? member->spec().deliver : std::vector<manifest::Deliver>();
}

}  // namespace

std::vector<event::Recipient> recipients(const Members& members, const run::RunEnd& end) {
  std::vector<event::Recipient> told;
  for (const auto& deliver : delivers_of(members, end)) {
    if (std::ranges::find(deliver.on, port::name(end.status)) == deliver.on.end()) continue;
    const bool is_quiet = deliver.when == manifest::DeliverWhen::reported && end.nothing_new && end.status == port::RunStatus::completed;
    if (is_quiet) continue;
    const bool if_changed = deliver.when == manifest::DeliverWhen::changed;
    for (const auto& sink : deliver.sinks) {
      const auto known = std::ranges::find(told, sink, &event::Recipient::sink);
      if (known == told.end()) told.push_back({sink, if_changed});
      else known->if_changed = known->if_changed && if_changed;
    }
  }
  return told;
}

}  // namespace agentd::host
