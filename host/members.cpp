#include "host/members.hpp"

#include <cstdlib>

namespace agentd::host {

manifest::AgentSpec Member::spec() const {
  auto read = manifest::parse_canonical(manifest);
  if (!read) std::abort();  // it was written from a spec
  return std::move(*read);
}

std::string Member::how_to_enable() const { return is_sent() ? "agentd agents update " + agent_id + " enabled=true" : "set enabled = true in " + file; }

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
  if (stand_ins_.erase(id) > 0) follow_nobody(id);
  members_.insert_or_assign(std::move(id), std::make_shared<const Member>(std::move(member)));
}

void Members::add(const manifest::ChainLink& link) {
  auto member = find(link.agent_id);
  if (!member) member = find_stand_in(link.agent_id);
  const auto outcome = port::run_status(link.outcome);
  if (member && member->enabled && outcome) followers_[link.followed].push_back({link.agent_id, link.trigger, *outcome});
}

void Members::follow_nobody(const std::string& agent_id) {
  for (auto& [followed, who] : followers_)
    std::erase_if(who, [&](const auto& follower) { return follower.agent_id == agent_id; });
}

void Members::stand_in(Member refused) {
  auto id = refused.agent_id;
  stand_ins_.insert_or_assign(std::move(id), std::make_shared<const Member>(std::move(refused)));
}

MemberRef Members::find_stand_in(const std::string& agent_id) const {
  const auto found = stand_ins_.find(agent_id);
  return found == stand_ins_.end() ? nullptr : found->second;
}

void Members::drop_stand_ins(const std::set<std::string>& but) {
  for (auto at = stand_ins_.begin(); at != stand_ins_.end();) {
    if (!but.contains(at->first)) follow_nobody(at->first);
    at = but.contains(at->first) ? std::next(at) : stand_ins_.erase(at);
  }
}

void Members::remove(const std::string& agent_id) {
  members_.erase(agent_id);
  follow_nobody(agent_id);
}

}  // namespace agentd::host
