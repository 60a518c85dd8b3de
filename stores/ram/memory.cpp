#include "memory.hpp"

#include <agentd/sdk/words.hpp>

#include <algorithm>
#include <cmath>

#include "stores/vectors/cosine.hpp"
#include "stores/vectors/spaces.hpp"

namespace agentd::ram {
namespace {

bool fits(const sdk::MemoryEntry& e, const sdk::MemoryQuery& q) {
  return (q.type == sdk::MemoryType::any || e.type == q.type) && (q.session_id.empty() || e.session_id == q.session_id) && (q.id.empty() || e.id == q.id);
}

std::size_t occurrences(const std::vector<std::string>& phrase, const std::vector<std::string>& words) {
  std::size_t count = 0;
  for (auto at = words.begin(); at != words.end(); ++at) {
    at = std::search(at, words.end(), phrase.begin(), phrase.end());
    if (at == words.end()) break;
    ++count;
  }
  return count;
}

// Okapi BM25 with the usual constants.
double weight(double occurrences, double length, double mean_length, double documents, double documents_with) {
  constexpr double k1 = 1.2, b = 0.75;
  const double rarity = std::log(1 + (documents - documents_with + 0.5) / (documents_with + 0.5));
  return rarity * occurrences * (k1 + 1) / (occurrences + k1 * (1 - b + b * length / mean_length));
}

}  // namespace

Memory::Memory(const Config& config) : most_(static_cast<std::size_t>(config.max_entries)) {
  if (config.max_entries < 1) throw sdk::Error("max_entries: at least 1");
}

void Memory::put(const std::vector<sdk::MemoryEntry>& entries) {
  const auto kept_of = [this](const std::string& space) { return spaces_.contains(space) ? spaces_.at(space).dimensions : 0; };
  stores::check_spaces(entries, kept_of);
  for (const auto& entry : entries) {
    auto& agent = agents_[entry.agent_id];
    const auto [place, is_new] = agent.places.try_emplace(entry.id, last_position_ + 1);
    if (is_new) ++last_position_;
    auto& kept = agent.entries[place->second];
    let_go(kept);
    hold(kept, entry);
    kept.entry.position = place->second;
    if (agent.entries.size() > most_) {
      let_go(agent.entries.begin()->second);
      agent.places.erase(agent.entries.begin()->second.entry.id);
      agent.entries.erase(agent.entries.begin());
    }
  }
}

void Memory::hold(Kept& kept, const sdk::MemoryEntry& entry) {
  kept = {entry, sdk::words_of(entry.text), stores::unit(entry.vector), entry.space};
  kept.entry.vector = {}, kept.entry.space = {};
  if (kept.unit.empty()) return;
  auto& space = spaces_[kept.space];
  space.dimensions = kept.unit.size();
  ++space.vectors;
}

void Memory::let_go(const Kept& kept) {
  if (kept.unit.empty()) return;
  const auto space = spaces_.find(kept.space);
  if (--space->second.vectors == 0) spaces_.erase(space);
}

std::vector<sdk::MemoryEntry> Memory::list(const sdk::MemoryQuery& query) {
  std::vector<sdk::MemoryEntry> found;
  const auto& entries = agents_[query.agent_id].entries;
  auto at = query.before ? entries.lower_bound(query.before) : entries.end();
  while (at != entries.begin() && found.size() < query.limit) {
    --at;
    if (fits(at->second.entry, query)) found.push_back(at->second.entry);
  }
  return found;
}

std::vector<sdk::MemoryEntry> Memory::nearest(const sdk::MemoryQuery& query) {
  const auto space = spaces_.find(query.space);
  if (space == spaces_.end()) return {};
  stores::check_space(query, space->second.dimensions);
  const auto wanted = stores::unit(query.vector);
  const auto& entries = agents_[query.agent_id].entries;
  stores::Nearest nearest(query.limit);
  for (const auto& [position, kept] : entries)
    if (!kept.unit.empty() && kept.space == query.space && fits(kept.entry, query)) nearest.offer({position, stores::cosine(wanted, kept.unit)});
  std::vector<sdk::MemoryEntry> found;
  for (const auto& one : nearest.best()) {
    found.push_back(entries.at(one.position).entry);
    found.back().score = one.score;
  }
  return found;
}

std::vector<sdk::MemoryEntry> Memory::search(const sdk::MemoryQuery& query) {
  if (!query.vector.empty()) return nearest(query);
  const auto phrases = sdk::phrases_of(query.text);
  std::vector<const Kept*> candidates;
  double length = 0;
  for (const auto& [position, kept] : agents_[query.agent_id].entries) {
    length += static_cast<double>(kept.words.size());
    if (fits(kept.entry, query)) candidates.push_back(&kept);
  }
  const double documents = static_cast<double>(agents_[query.agent_id].entries.size());
  std::vector<double> scores(candidates.size());
  for (const auto& phrase : phrases) {
    std::vector<std::size_t> counts;
    for (const auto* kept : candidates) counts.push_back(occurrences(phrase, kept->words));
    const auto with = static_cast<double>(candidates.size() - static_cast<std::size_t>(std::count(counts.begin(), counts.end(), 0u)));
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] > 0) scores[i] += weight(static_cast<double>(counts[i]), static_cast<double>(candidates[i]->words.size()), length / documents, documents, with);
    }
  }
  std::vector<sdk::MemoryEntry> found;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (scores[i] <= 0) continue;
    found.push_back(candidates[i]->entry);
    found.back().score = scores[i];
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return std::pair(a.score, a.position) > std::pair(b.score, b.position); });
  if (found.size() > query.limit) found.resize(static_cast<std::size_t>(query.limit));
  return found;
}

uint64_t Memory::remove(const sdk::MemoryQuery& query) {
  auto& agent = agents_[query.agent_id];
  return std::erase_if(agent.entries, [&](const auto& at) {
    const auto& entry = at.second.entry;
    if (!fits(entry, query)) return false;
    let_go(at.second);
    agent.places.erase(entry.id);
    return true;
  });
}

}  // namespace agentd::ram
