#include "vector_index.hpp"

#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <cstring>

namespace agentd::sqlite {
namespace {

// Links of a vector, and how many are looked at while it is put in and while one is looked for: measured, see the README.
constexpr std::size_t kLinks = 16, kBreadthOfPut = 100, kBreadthOfSearch = 200;
constexpr std::size_t kBytesOfLinks = 2 * kLinks * 4 * 5 / 4 + 64;
constexpr std::int64_t kBatch = 500;  // vectors that are read at once, so that no read holds up a checkpoint

constexpr const char* kMore = "SELECT id,vector FROM vectors WHERE space=?1 AND agent=?2 AND type=?3 AND id>?4 ORDER BY id LIMIT ?5";

}  // namespace

std::size_t VectorIndex::bytes(std::int64_t count, std::size_t dimensions) { return static_cast<std::size_t>(count) * (dimensions * sizeof(float) + kBytesOfLinks); }

VectorIndex::VectorIndex(std::filesystem::path file, VectorSet set, std::size_t dimensions, std::int64_t count)
    : file_(std::move(file)),
      set_(std::move(set)),
      dimensions_(dimensions),
      count_(count),
      space_(std::make_unique<hnswlib::InnerProductSpace>(dimensions)),
      graph_(std::make_unique<hnswlib::HierarchicalNSW<float>>(space_.get(), static_cast<std::size_t>(count + count / 4), kLinks, kBreadthOfPut)),
      builder_([this](const std::stop_token& stop) { build(stop); }) {}

VectorIndex::~VectorIndex() = default;  // the thread ends first

void VectorIndex::build(const std::stop_token& stop) try {
  Db db(file_, Db::Mode::read);
  Statement more(db, kMore);
  while (add_more(more)) {
    if (stop.stop_requested()) return;
  }
  state_.store(State::ready, std::memory_order_release);
} catch (const std::exception& e) {
  why_ = e.what();
  state_.store(State::failed, std::memory_order_release);
}

// False: that was all.
bool VectorIndex::add_more(Statement& more) {
  std::int64_t added = 0;
  std::vector<float> unit(dimensions_);
  Reading reading(more, set_.space, std::string_view(set_.agent), set_.type, last_, kBatch);
  while (reading.next()) {
    const auto bytes = reading->bytes(1);
    if (bytes.size() != dimensions_ * sizeof(float)) throw DbError(SQLITE_CORRUPT, file_.string() + ": a vector of " + std::to_string(bytes.size()) + " bytes in a space of " + std::to_string(dimensions_) + " dimensions");
    std::memcpy(unit.data(), bytes.data(), bytes.size());
    if (graph_->cur_element_count == graph_->max_elements_) graph_->resizeIndex(graph_->max_elements_ + graph_->max_elements_ / 2 + 1);
    graph_->addPoint(unit.data(), static_cast<std::size_t>(reading->integer(0)));
    last_ = reading->integer(0);
    ++added;
  }
  return added == kBatch;
}

void VectorIndex::catch_up(Db& db) {
  Statement more(db, kMore);
  while (add_more(more)) {}
}

std::int64_t VectorIndex::size() const { return static_cast<std::int64_t>(graph_->cur_element_count); }

std::vector<VectorIndex::Found> VectorIndex::nearest(std::span<const float> unit, std::size_t most) {
  graph_->setEf(std::max(kBreadthOfSearch, 2 * most));
  auto worst_first = graph_->searchKnn(unit.data(), most);
  std::vector<Found> found;
  for (; !worst_first.empty(); worst_first.pop()) found.push_back({static_cast<std::int64_t>(worst_first.top().second), std::clamp(1.0 - static_cast<double>(worst_first.top().first), -1.0, 1.0)});
  std::ranges::reverse(found);
  return found;
}

}  // namespace agentd::sqlite
