#include "ledger_slots.hpp"

#include "ledger_files.hpp"

namespace agentd::sqlite {
namespace {

using sdk::view;

Ledger& ledger(void* self) { return *LedgerSlots::of(self).object; }

// noexcept: the one thing these can throw is that memory is out, and a ledger that forgets a write must not go on.
void enqueue(void* self, const agentd_ledger_enqueue* asked) noexcept { ledger(self).write(own(*asked)); }
void commit(void* self, const agentd_ledger_transition* asked) noexcept { ledger(self).write(own(*asked)); }
void put_specs(void* self, const agentd_ledger_specs* asked) noexcept { ledger(self).write(own(*asked)); }
void put_cursors(void* self, const agentd_ledger_cursors* asked) noexcept { ledger(self).write(own(*asked)); }

void remove(void* self, const agentd_ledger_remove* asked) noexcept { ledger(self).write(own(*asked)); }
void backup(void* self, agentd_op op, agentd_str file) noexcept { ledger(self).backup(op, std::string(view(file))); }

void claim(void* self, agentd_op op, int64_t now_ms, uint64_t n) noexcept { ledger(self).claim(op, now_ms, static_cast<std::size_t>(n)); }
void abandon(void* self, agentd_run_id run, uint64_t generation) noexcept { ledger(self).abandon(run, generation); }
void serve(void* self, agentd_str agent, int32_t can) noexcept { ledger(self).serve(view(agent), can != 0); }

void load(void* self, agentd_op op, agentd_run_id run) noexcept {
  ledger(self).read(op, [op, run](LedgerReads& reads) { reads.load(op, run); });
}
void list(void* self, const agentd_ledger_filter* asked) noexcept {
  const ListFilter filter{std::string(view(asked->agent_id)), asked->status, asked->before, asked->limit, std::string(view(asked->key_from)), std::string(view(asked->key_before))};
  ledger(self).read(asked->op, [op = asked->op, filter](LedgerReads& reads) { reads.list(op, filter); });
}
void events_after(void* self, agentd_op op, int64_t position, uint64_t limit) noexcept {
  ledger(self).read(op, [=](LedgerReads& reads) { reads.events_after(op, position, limit); });
}
void spec(void* self, agentd_op op, agentd_str agent, int64_t revision) noexcept {
  ledger(self).read(op, [op, revision, name = std::string(view(agent))](LedgerReads& reads) { reads.spec(op, name, revision); });
}
void agent_state(void* self, agentd_op op, agentd_str agent) noexcept {
  ledger(self).read(op, [op, name = std::string(view(agent))](LedgerReads& reads) { reads.agent_state(op, name); });
}
void cursors(void* self, agentd_op op, const agentd_str* names, uint64_t count) noexcept {
  std::vector<std::string> asked;
  asked.reserve(static_cast<std::size_t>(count));
  for (uint64_t i = 0; i < count; ++i) asked.emplace_back(view(names[i]));
  ledger(self).read(op, [op, all = std::move(asked)](LedgerReads& reads) { reads.cursors(op, all); });
}

}  // namespace

const agentd_ledger* LedgerSlots::table() {
  static const agentd_ledger all{&LedgerSlots::create, &LedgerSlots::destroy, &enqueue, &commit, &put_specs, &put_cursors, &claim, &abandon,
                                 &serve, &load, &list, &events_after, &spec, &agent_state, &cursors, &remove, &backup, &check_files, &copy_files, &restore_files};
  return &all;
}

}  // namespace agentd::sqlite
