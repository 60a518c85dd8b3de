#include "memory.hpp"

#include <algorithm>
#include <random>

#include "stores/points/memory.hpp"

namespace agentd::qdrant {
namespace {

constexpr std::chrono::milliseconds kPatience{2'000};  // with a server that is away when the host starts

}  // namespace

Memory::Memory(const Settings& settings, const sdk::Host& host)
    : host_(host), timeout_(settings.timeout.value), server_(host, "qdrant", url_of(settings), headers_of(settings)), collections_(settings.collection), positions_(std::random_device{}()) {
  try {
    QdrantShelf(server_, std::min(timeout_, kPatience), collections_).open();
  } catch (const sdk::Error& error) {
    if (error.failure != sdk::Failure::retryable) throw;  // else it is made with the first put
  }
}

void Memory::put(const std::vector<sdk::MemoryEntry>& entries) {
  QdrantShelf shelf(server_, timeout_, collections_);
  points::put(shelf, positions_, host_, entries);
}

std::vector<sdk::MemoryEntry> Memory::list(const sdk::MemoryQuery& query) {
  QdrantShelf shelf(server_, timeout_, collections_);
  return points::list(shelf, query);
}

std::vector<sdk::MemoryEntry> Memory::search(const sdk::MemoryQuery& query) {
  QdrantShelf shelf(server_, timeout_, collections_);
  return points::search(shelf, query);
}

uint64_t Memory::remove(const sdk::MemoryQuery& query) {
  QdrantShelf shelf(server_, timeout_, collections_);
  return points::remove(shelf, host_, query);
}

}  // namespace agentd::qdrant
