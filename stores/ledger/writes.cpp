#include "writes.hpp"

namespace agentd::ledger {
namespace {

std::string own(agentd_str text) { return text.size ? std::string(text.data, static_cast<std::size_t>(text.size)) : std::string(); }

Fence own(const agentd_ledger_fence& f) { return {own(f.lease), f.generation}; }

std::vector<Entry> own(const agentd_ledger_entry* entries, std::uint64_t count) {
  std::vector<Entry> all;
  all.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto& e = entries[i];
    all.push_back({own(e.agent_id), own(e.key), own(e.payload), e.due_ms, e.revision, e.nonce, e.status, e.overlap, e.leaves_record != 0, e.queue_size,
                   e.max_concurrent});
  }
  return all;
}

std::vector<Record> own(const agentd_ledger_record* records, std::uint64_t count) {
  std::vector<Record> all;
  all.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) all.push_back({records[i].kind, own(records[i].payload)});
  return all;
}

Hold own(const agentd_ledger_hold& h) { return {own(h.account), h.window, h.call, {h.most_tokens, h.most_cost}, {h.limit_tokens, h.limit_cost}}; }
Raise own(const agentd_ledger_raise& r) { return {own(r.account), r.window, {r.tokens, r.cost}}; }
Settle own(const agentd_ledger_settle& s) { return {s.call, s.tokens < 0 ? std::optional<Spend>() : Spend{s.tokens, s.cost}}; }

template <class From>
auto own_all(const From* items, std::uint64_t count) {
  std::vector<decltype(own(*items))> all;
  all.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(own(items[i]));
  return all;
}

}  // namespace

Write own(const agentd_ledger_enqueue& e) { return {e.op, e.now_ms, Enqueue{own(e.entries, e.count)}}; }

Write own(const agentd_ledger_transition& t) {
  return {t.op, t.now_ms,
          Transition{t.run, t.generation, own(t.agent_id), own(t.records, t.record_count), own(t.follow_ups, t.follow_up_count), t.next, t.due_ms,
                     t.has_state != 0, own(t.agent_state), own(t.error), own_all(t.settles, t.settle_count), own_all(t.raises, t.raise_count),
                     own_all(t.holds, t.hold_count), t.in_quarantine, own(t.fence)}};
}

Write own(const agentd_ledger_specs& s) {
  PutSpecs put;
  put.specs.reserve(static_cast<std::size_t>(s.count));
  for (std::uint64_t i = 0; i < s.count; ++i) put.specs.push_back({own(s.specs[i].agent_id), own(s.specs[i].content), s.specs[i].is_newest != 0});
  return {s.op, s.now_ms, std::move(put)};
}

Write own(const agentd_ledger_cursors& c) {
  PutCursors put;
  put.cursors.reserve(static_cast<std::size_t>(c.count));
  for (std::uint64_t i = 0; i < c.count; ++i) put.cursors.push_back({own(c.cursors[i].name), c.cursors[i].position, own(c.cursors[i].fence)});
  return {c.op, c.now_ms, std::move(put)};
}

Write own(const agentd_ledger_remove& r, std::int64_t now) { return {r.op, now, Remove{r.before_ms, r.upto, r.window_before, static_cast<std::size_t>(r.most), r.run, own(r.fence)}}; }

}  // namespace agentd::ledger
