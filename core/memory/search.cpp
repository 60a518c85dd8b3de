#include "core/memory/search.hpp"

#include <algorithm>
#include <map>

namespace agentd::memory {
namespace {

constexpr double kRankConstant = 5;
// Of what is first by words and what is first by meaning, the latter is more often what was looked for.
constexpr double kWeightOfWords = 0.8;
// So much deeper than what is wanted is looked: what neither ranking has at its top may be the best of both.
constexpr std::size_t kDeeper = 4;

Async<Result<std::vector<port::MemoryEntry>>> ask_all(std::vector<Place> places, port::MemoryQuery query) {
  std::vector<port::MemoryEntry> all;
  for (const auto& place : places) {
    query.type = place.type;
    auto found = co_await place.store->search(query);
    if (!found) co_return std::unexpected(std::move(found.error()));
    std::ranges::move(*found, std::back_inserter(all));
  }
  rank(all);
  co_return all;
}

// Scores by words are a store's own: those of two stores are not compared.
std::vector<std::vector<Place>> by_store(const std::vector<Place>& places) {
  std::vector<std::vector<Place>> groups;
  for (const auto& place : places) {
    const auto same = std::ranges::find_if(groups, [&](const auto& group) { return group.front().store == place.store; });
    if (same == groups.end()) groups.push_back({place});
    else same->push_back(place);
  }
  return groups;
}

}  // namespace

void rank(std::vector<port::MemoryEntry>& entries) {
  std::ranges::sort(entries, [](const auto& a, const auto& b) {
    if (a.score != b.score) return a.score > b.score;
    if (a.created != b.created) return a.created > b.created;
    return a.id < b.id;
  });
}

std::vector<port::MemoryEntry> fuse(std::vector<Ranking> rankings, std::size_t most) {
  std::map<std::pair<port::MemoryType, std::string>, port::MemoryEntry> fused;
  for (auto& ranking : rankings) {
    for (std::size_t i = 0; i < ranking.entries.size(); ++i) {
      auto& entry = ranking.entries[i];
      const auto [place, is_new] = fused.try_emplace({entry.type, entry.id});
      if (is_new) {
        place->second = std::move(entry);
        place->second.score = 0;
      }
      place->second.score += ranking.weight / (kRankConstant + static_cast<double>(i + 1));
    }
  }
  std::vector<port::MemoryEntry> all;
  for (auto& [key, entry] : fused) all.push_back(std::move(entry));
  rank(all);
  if (all.size() > most) all.resize(most);
  return all;
}

Async<Result<Found>> search(std::vector<Place> places, Embedder* embedder, Wish wish) {
  Found out;
  port::MemoryQuery query{.agent_id = wish.agent_id, .session_id = wish.session_id, .text = wish.text, .limit = wish.most, .timeout = wish.timeout};
  const bool has_vectors = std::ranges::any_of(places, [](const Place& place) { return place.store->has_vectors(); });
  std::vector<float> vector;
  if (embedder && has_vectors) {
    std::vector<std::string> texts = {wish.text};
    auto embedding = embedder->embed(wish.agent_id, std::move(texts), wish.timeout, wish.stop);
    auto embedded = co_await std::move(embedding);
    if (embedded) {
      vector = std::move(embedded->vectors.front());
      query.limit *= kDeeper;
      out.requests = embedded->requests;
      out.tokens = embedded->tokens;
      out.cost = embedded->cost;
    } else {
      out.by_words_alone = std::move(embedded.error().message);
    }
  }
  std::vector<Ranking> rankings;
  for (auto& of_store : by_store(places)) {
    auto asking = ask_all(std::move(of_store), query);
    auto found = co_await std::move(asking);
    if (!found) co_return std::unexpected(std::move(found.error()));
    rankings.push_back({std::move(*found), kWeightOfWords});
  }
  if (!vector.empty()) {
    std::erase_if(places, [](const Place& place) { return !place.store->has_vectors(); });
    query.vector = std::move(vector);
    query.space = embedder->space();
    auto asking = ask_all(std::move(places), std::move(query));
    auto found = co_await std::move(asking);
    if (found) {
      std::erase_if(*found, [](const auto& entry) { return entry.score <= 0; });  // no nearer than chance
      rankings.push_back({std::move(*found)});
    } else if (found.error().error_class == ErrorClass::retryable) {
      co_return std::unexpected(std::move(found.error()));
    } else {
      out.by_words_alone = std::move(found.error().message);  // of other dimensions than what is kept, or the like: again and again
    }
  }
  if (rankings.size() == 1) {
    out.entries = std::move(rankings.front().entries);
    if (out.entries.size() > wish.most) out.entries.resize(wish.most);
  } else {
    out.entries = fuse(std::move(rankings), wish.most);
  }
  co_return out;
}

}  // namespace agentd::memory
