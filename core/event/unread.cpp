#include "core/event/unread.hpp"

namespace agentd::event {
namespace {

std::size_t hash_of(std::string_view payload) { return std::hash<std::string_view>()(payload); }

}  // namespace

Unread::Of::Of(Unread& unread, RunId run, std::span<const Decoded> said, std::span<const port::Record> records) : unread_(unread), run_(run), said_(said) {
  marks_.reserve(records.size());
  for (const auto& record : records) marks_.push_back({record.kind, hash_of(record.payload)});
  unread_.by_run_.try_emplace(run, this);
}

Unread::Of::~Of() {
  const auto known = unread_.by_run_.find(run_);
  if (known != unread_.by_run_.end() && known->second == this) unread_.by_run_.erase(known);
}

const Decoded* Unread::find(const port::StoredRecord& record) const {
  const auto known = by_run_.find(record.run);
  if (known == by_run_.end()) return nullptr;
  const auto& of = *known->second;
  const auto hash = hash_of(record.payload);
  for (std::size_t i = 0; i < of.marks_.size(); ++i)
    if (of.marks_[i].kind == record.kind && of.marks_[i].hash == hash) return &of.said_[i];
  return nullptr;
}

}  // namespace agentd::event
