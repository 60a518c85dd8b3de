#include "core/memory/keep.hpp"

namespace agentd::memory {

Async<Result<Kept>> keep(port::MemoryStore& store, Embedder* embedder, std::vector<port::MemoryEntry> entries, Millis timeout, std::stop_token stop) {
  Kept kept;
  if (embedder && store.has_vectors() && !entries.empty()) {
    std::vector<std::string> texts;
    for (const auto& entry : entries) texts.push_back(entry.text);
    auto embedding = embedder->embed(entries.front().agent_id, std::move(texts), timeout, stop);
    auto embedded = co_await std::move(embedding);
    if (embedded) {
      auto with = entries;
      for (std::size_t i = 0; i < with.size(); ++i) {
        with[i].vector = std::move(embedded->vectors[i]);
        with[i].space = embedder->space();
      }
      auto putting = store.put(std::move(with), timeout);
      auto put = co_await std::move(putting);
      if (put) co_return kept;
      // Vectors of other dimensions than are there, or the like: the entry itself may be kept all the same.
      if (put.error().error_class == ErrorClass::retryable) co_return std::unexpected(std::move(put.error()));
      kept.without_vectors = std::move(put.error().message);
    } else if (stop.stop_requested()) {
      co_return fail(ErrorClass::retryable, "it was stopped");  // whoever goes on with it keeps the vectors too
    } else {
      kept.without_vectors = std::move(embedded.error().message);
    }
  }
  auto putting = store.put(std::move(entries), timeout);
  auto put = co_await std::move(putting);
  if (!put) co_return std::unexpected(std::move(put.error()));
  co_return kept;
}

Async<Result<Kept>> keep_instead(port::MemoryStore& store, port::MemoryStore& other, Embedder* embedder, port::MemoryEntry entry, Millis timeout, std::stop_token stop) {
  port::MemoryQuery same{.agent_id = entry.agent_id, .id = entry.id, .timeout = timeout};
  std::vector<port::MemoryEntry> entries;
  entries.push_back(std::move(entry));
  auto keeping = keep(store, embedder, std::move(entries), timeout, std::move(stop));
  auto kept = co_await std::move(keeping);
  if (!kept || &store == &other) co_return kept;
  auto removing = other.remove(std::move(same));
  auto removed = co_await std::move(removing);
  if (!removed) co_return std::unexpected(std::move(removed.error()));
  co_return kept;
}

}  // namespace agentd::memory
