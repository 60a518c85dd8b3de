// Memory as Chroma's collections and records, over its API v2.
#pragma once
#include <atomic>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "settings.hpp"
#include "stores/points/server.hpp"
#include "stores/points/shelf.hpp"

namespace agentd::chroma {

// The server's ids of collections, as far as this process knows. Any thread.
class Collections {
 public:
  explicit Collections(const Settings& settings);
  const std::string& path() const { return path_; }
  const std::string& entries() const { return entries_; }
  std::string of(const std::string& space) const;
  std::optional<std::string> id(const std::string& name) const;
  void note(const std::string& name, const std::string& id);
  void forget(const std::string& name);

  std::atomic<std::uint64_t> window;  // how much of the order was asked for at a time when that was right

 private:
  const std::string path_, entries_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> ids_;
};

class ChromaShelf final : public points::Shelf {
 public:
  ChromaShelf(points::Server& server, std::chrono::milliseconds timeout, Collections& collections) : conversation_(server, timeout), collections_(collections) {}
  void open();  // makes the collection of entries where there is none

  std::vector<points::Version> versions(const std::vector<std::string>& keys) override;
  std::uint64_t newest(const std::string& agent, std::uint64_t from) override;
  void keep(const std::vector<points::Row>& rows) override;
  std::vector<points::Row> page(const sdk::MemoryQuery& query, std::size_t limit) override;
  std::vector<points::Row> rows(const std::vector<std::string>& keys) override;
  std::vector<points::Row> candidates(const sdk::MemoryQuery& query, const std::vector<std::vector<std::string>>& phrases, std::size_t limit) override;
  std::vector<points::Version> fitting(const sdk::MemoryQuery& query, std::size_t limit) override;
  void drop(const std::vector<std::string>& keys) override;
  std::optional<std::uint64_t> dimensions(const std::string& space) override;
  bool drop_empty(const std::string& space) override;
  void keep_vectors(const std::string& space, const std::vector<points::Row>& rows) override;
  std::vector<points::Near> nearest(const sdk::MemoryQuery& query, std::size_t limit) override;
  void drop_vectors(const std::string& space, const std::vector<std::string>& keys) override;

 private:
  std::string make(const std::string& collection, const nlohmann::json& metadata);
  std::optional<nlohmann::json> found(const std::string& collection);
  // "get", "query" and such of a collection; nothing where there is no such collection.
  std::optional<nlohmann::json> asked(const std::string& collection, const char* what, const nlohmann::json& request);
  void upsert(const std::string& collection, const nlohmann::json& records);
  void delete_records(const std::string& collection, const std::vector<std::string>& keys);
  std::vector<points::Row> got(const nlohmann::json& request);
  // The newest of those that fit both, for a server that sorts nothing.
  std::vector<points::Row> newest_of(const sdk::MemoryQuery& query, const nlohmann::json& document, std::size_t limit);

  points::Conversation conversation_;
  Collections& collections_;
};

}  // namespace agentd::chroma
