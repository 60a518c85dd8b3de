// Which of some entries fit words best.
#pragma once
#include <agentd/sdk/memory.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace agentd::points {

using Phrases = std::vector<std::vector<std::string>>;

// What a server looks words up by: no longer than 100 bytes, since a text may be one word of a mebibyte.
std::string term(std::string word);
// Each word between two spaces of its own, so that words that follow each other are found as they stand.
std::string spaced(const std::vector<std::string>& words);

// Those that have any of the phrases, with their scores (BM25), best first, newest first among equals.
std::vector<sdk::MemoryEntry> best(std::vector<sdk::MemoryEntry> entries, const Phrases& phrases, std::size_t limit);

}  // namespace agentd::points
