#include "host/members.hpp"

#include <cstdlib>

namespace agentd::host {

manifest::AgentSpec Member::spec() const {
  auto read = manifest::parse_canonical(manifest);
  if (!read) std::abort();  // it was written from a spec
  return std::move(*read);
}

MemberRef Members::find(const std::string& agent_id) const {
  const auto found = members_.find(agent_id);
  return found == members_.end() ? nullptr : found->second;
}

const std::vector<Follower>& Members::followers(const std::string& agent_id) const {
  static const std::vector<Follower> kNobody;
  const auto found = followers_.find(agent_id);
  return found == followers_.end() ? kNobody : found->second;
}

void Members::add(Member member) {
  auto id = member.agent_id;
  members_.insert_or_assign(std::move(id), std::make_shared<const Member>(std::move(member)));
}

void Members::add(const manifest::ChainLink& link) {
  const auto member = find(link.agent_id);
  const auto outcome = port::run_status(link.outcome);
  if (member && member->enabled && outcome) followers_[link.followed].push_back({link.agent_id, link.trigger, *outcome});
}

void Members::follow_nobody(const std::string& agent_id) {
  for (auto& [followed, who] : followers_)
    std::erase_if(who, [&](const auto& follower) { return follower.agent_id == agent_id; });
}

void Members::remove(const std::string& agent_id) {
  members_.erase(agent_id);
  follow_nobody(agent_id);
}

}  // namespace agentd::host
