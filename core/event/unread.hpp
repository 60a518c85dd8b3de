// Records on their way to the ledger beside what they say, so that whoever hears of them once they are durable need not read them again.
// The engine thread only.
#pragma once
#include <span>
#include <unordered_map>
#include <vector>

#include "core/event/record.hpp"

namespace agentd::event {

class Unread {
 public:
  // One transition of a run, for as long as this lives. Of two that a run has at once the first is known.
  class Of {
   public:
    // records: as they are written, one for each of `said`, which outlives this.
    Of(Unread& unread, RunId run, std::span<const Decoded> said, std::span<const port::Record> records);
    ~Of();
    Of(const Of&) = delete;
    Of& operator=(const Of&) = delete;

   private:
    friend class Unread;
    struct Mark {
      std::int32_t kind;
      std::size_t hash;
    };
    Unread& unread_;
    const RunId run_;
    const std::span<const Decoded> said_;
    std::vector<Mark> marks_;
  };

  // What the record says, when it is one of these; null: it must be read.
  const Decoded* find(const port::StoredRecord& record) const;

 private:
  std::unordered_map<RunId, const Of*> by_run_;
};

}  // namespace agentd::event
