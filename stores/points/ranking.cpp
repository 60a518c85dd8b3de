#include "ranking.hpp"

#include <agentd/sdk/words.hpp>

#include <algorithm>
#include <cmath>

namespace agentd::points {
namespace {

constexpr std::size_t kMostOfATerm = 100;  // bytes
// BM25 with the usual k1 and b. How many entries there are and how long they are on the whole is not counted: a word's weight follows from how many
// of those found have it, of 50 words each. A few are taken for a hundred, so that one found alone is not worth nothing.
constexpr double kK1 = 1.2, kB = 0.75, kFewestEntries = 100, kWords = 50;

std::size_t times(std::string_view text, std::string_view phrase) {
  std::size_t count = 0;
  for (auto at = text.find(phrase); at != text.npos; at = text.find(phrase, at + phrase.size())) ++count;
  return count;
}

}  // namespace

std::string term(std::string word) {
  if (word.size() <= kMostOfATerm) return word;
  word.resize(kMostOfATerm);
  while (!word.empty() && (word.back() & 0xc0) == 0x80) word.pop_back();  // a cut may go through a character
  if (!word.empty()) word.pop_back();
  return word;
}

std::string spaced(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) ((out += ' ') += word) += ' ';
  return out;
}

std::vector<sdk::MemoryEntry> best(std::vector<sdk::MemoryEntry> entries, const Phrases& phrases, std::size_t limit) {
  std::vector<std::vector<double>> weights(phrases.size(), std::vector<double>(entries.size()));
  std::vector<double> having(phrases.size());
  double found = 0;
  for (std::size_t e = 0; e < entries.size(); ++e) {
    const auto words = sdk::words_of(entries[e].text);
    const auto text = spaced(words);
    bool fits = false;
    for (std::size_t p = 0; p < phrases.size(); ++p) {
      const auto count = static_cast<double>(times(text, spaced(phrases[p])));
      if (count == 0) continue;
      fits = true;
      having[p] += 1;
      weights[p][e] = count * (kK1 + 1) / (count + kK1 * (1 - kB + kB * static_cast<double>(words.size()) / kWords));
    }
    if (fits) found += 1;
  }
  found = std::max(found, kFewestEntries);
  for (std::size_t p = 0; p < phrases.size(); ++p) {
    const double rarity = std::log(1 + (found - having[p] + 0.5) / (having[p] + 0.5));
    for (std::size_t e = 0; e < entries.size(); ++e) entries[e].score += rarity * weights[p][e];
  }
  std::erase_if(entries, [](const auto& entry) { return entry.score <= 0; });
  std::ranges::sort(entries, [](const auto& a, const auto& b) { return a.score != b.score ? a.score > b.score : a.position > b.position; });
  if (entries.size() > limit) entries.resize(limit);
  return entries;
}

}  // namespace agentd::points
