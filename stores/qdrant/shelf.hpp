// Memory as Qdrant's collections and points.
#pragma once
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "stores/points/server.hpp"
#include "stores/points/shelf.hpp"

namespace agentd::qdrant {

// Which collections there are for certain, as far as this process knows. Any thread.
class Collections {
 public:
  explicit Collections(std::string entries) : entries_(std::move(entries)) {}
  const std::string& entries() const { return entries_; }
  std::string of(const std::string& space) const;
  bool are_made(const std::string& name) const;
  void note(const std::string& name);
  void forget(const std::string& name);

 private:
  const std::string entries_;
  mutable std::mutex mutex_;
  std::set<std::string> made_;
};

class QdrantShelf final : public points::Shelf {
 public:
  QdrantShelf(points::Server& server, std::chrono::milliseconds timeout, Collections& collections) : conversation_(server, timeout), collections_(collections) {}
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
  struct Index;
  void make(const std::string& collection, const nlohmann::json& vectors, std::initializer_list<Index> indexes);
  void put_points(const std::string& collection, const nlohmann::json& points);
  void delete_points(const std::string& collection, const std::vector<std::string>& keys);
  // The member "points" of what scrolling gives; nothing where there is no such collection.
  nlohmann::json scroll(const nlohmann::json& request);
  nlohmann::json retrieve(const std::vector<std::string>& keys, const nlohmann::json& with_payload);
  nlohmann::json asked(const std::string& path, const nlohmann::json& request);

  points::Conversation conversation_;
  Collections& collections_;
};

}  // namespace agentd::qdrant
