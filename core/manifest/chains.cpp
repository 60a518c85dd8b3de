#include "core/manifest/chains.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

namespace agentd::manifest {
namespace {

constexpr std::size_t kMostShown = 10;  // agents of a cycle

// The links as a graph from the agent that is followed to the one that runs.
class Chains {
 public:
  explicit Chains(const std::vector<ChainLink>& links) : links_(links), is_done_(links.size()) {
    for (std::size_t i = 0; i < links.size(); ++i) from_[links[i].followed].push_back(i);
    drop_ends();
  }

  std::vector<std::pair<std::string, Problem>> cycles() {
    for (std::size_t i = 0; i < links_.size(); ++i)
      if (!is_done_[i])
        if (const auto cycle = cycle_through(i)) tell(*cycle);
    return std::move(told_);
  }

 private:
  // Agents that nobody follows, and then those that only these followed, lie on no cycle.
  void drop_ends() {
    std::map<std::string, std::vector<std::size_t>> into;
    std::map<std::string, std::size_t> followers;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      into[links_[i].agent_id].push_back(i);
      ++followers[links_[i].followed];
      followers.try_emplace(links_[i].agent_id);
    }
    std::deque<std::string> ends;
    for (const auto& [agent, count] : followers)
      if (count == 0) ends.push_back(agent);
    for (; !ends.empty(); ends.pop_front())
      for (const auto i : into[ends.front()]) {
        is_done_[i] = true;
        if (--followers[links_[i].followed] == 0) ends.push_back(links_[i].followed);
      }
  }

  // The shortest way from the link's agent back to the one that it follows, with the link itself at its beginning.
  std::optional<std::vector<std::size_t>> cycle_through(std::size_t first) const {
    std::map<std::string, std::size_t> reached_by = {{links_[first].agent_id, first}};
    std::deque<std::string> at = {links_[first].agent_id};
    for (; !at.empty() && !reached_by.contains(links_[first].followed); at.pop_front()) {
      const auto next = from_.find(at.front());
      if (next == from_.end()) continue;
      for (const auto i : next->second)
        if (reached_by.emplace(links_[i].agent_id, i).second) at.push_back(links_[i].agent_id);
    }
    if (!reached_by.contains(links_[first].followed)) return std::nullopt;
    std::vector<std::size_t> cycle;
    for (auto agent = links_[first].followed; cycle.empty() || cycle.back() != first; agent = links_[cycle.back()].followed)
      cycle.push_back(reached_by.at(agent));
    std::ranges::reverse(cycle);
    return cycle;
  }

  // Each link of it, with the cycle as seen from there.
  void tell(const std::vector<std::size_t>& cycle) {
    for (std::size_t begin = 0; begin < cycle.size(); ++begin) {
      const auto link = cycle[begin];
      if (is_done_[link]) continue;
      is_done_[link] = true;
      std::string path = links_[link].followed;
      for (std::size_t i = 0; i < cycle.size(); ++i) {
        if (i < kMostShown || i + 1 == cycle.size())
          path += " -> " + links_[cycle[(begin + i) % cycle.size()]].agent_id;
        else if (i == kMostShown)
          path += " -> ...";
      }
      Problem problem = links_[link].at;
      problem.message = "this chain never ends: " + path;
      told_.emplace_back(links_[link].agent_id, std::move(problem));
    }
  }

  const std::vector<ChainLink>& links_;
  std::vector<bool> is_done_;
  std::map<std::string, std::vector<std::size_t>> from_;
  std::vector<std::pair<std::string, Problem>> told_;
};

}  // namespace

std::vector<std::pair<std::string, Problem>> cycles(const std::vector<ChainLink>& links) { return Chains(links).cycles(); }

}  // namespace agentd::manifest
