// The table of a ledger, and what makes provides<Ledger>() work: a plugin says
//   template <> struct agentd::sdk::detail::Kind<Ledger> : agentd::ledger::KindOf<Ledger, &check_files, &copy_files, &restore_files> {};
// Its Ledger has the slots' functions, taking what they are given as values, and read(op, f), which calls f(Ledger::Reads&) where it may block.
#pragma once
#include <agentd/abi/ledger.h>
#include <agentd/sdk/plugin.hpp>

#include <string>
#include <vector>

#include "list_filter.hpp"
#include "writes.hpp"

namespace agentd::ledger {

// noexcept: the one thing these can throw is that memory is out, and a ledger that forgets a write must not go on.
template <class L>
struct Slots : sdk::detail::Slots<sdk::detail::Instance<L>> {
  using Reads = typename L::Reads;
  static L& at(void* self) { return *Slots::of(self).object; }

  static void enqueue(void* self, const agentd_ledger_enqueue* asked) noexcept { at(self).write(own(*asked)); }
  static void commit(void* self, const agentd_ledger_transition* asked) noexcept { at(self).write(own(*asked)); }
  static void put_specs(void* self, const agentd_ledger_specs* asked) noexcept { at(self).write(own(*asked)); }
  static void put_cursors(void* self, const agentd_ledger_cursors* asked) noexcept { at(self).write(own(*asked)); }
  static void remove(void* self, const agentd_ledger_remove* asked) noexcept { at(self).write(own(*asked)); }
  static void backup(void* self, agentd_op op, agentd_str file) noexcept { at(self).backup(op, std::string(sdk::view(file))); }

  static void claim(void* self, agentd_op op, int64_t now_ms, uint64_t n) noexcept { at(self).claim(op, now_ms, static_cast<std::size_t>(n)); }
  static void abandon(void* self, agentd_run_id run, uint64_t generation) noexcept { at(self).abandon(run, generation); }
  static void serve(void* self, agentd_str agent, int32_t can) noexcept { at(self).serve(sdk::view(agent), can != 0); }

  static void load(void* self, agentd_op op, agentd_run_id run) noexcept {
    at(self).read(op, [op, run](Reads& reads) { reads.load(op, run); });
  }
  static void list(void* self, const agentd_ledger_filter* asked) noexcept {
    const ListFilter filter{std::string(sdk::view(asked->agent_id)), asked->status, asked->before, asked->limit, std::string(sdk::view(asked->key_from)), std::string(sdk::view(asked->key_before))};
    at(self).read(asked->op, [op = asked->op, filter](Reads& reads) { reads.list(op, filter); });
  }
  static void events_after(void* self, agentd_op op, int64_t position, uint64_t limit) noexcept {
    at(self).read(op, [=](Reads& reads) { reads.events_after(op, position, limit); });
  }
  static void spec(void* self, agentd_op op, agentd_str agent, int64_t revision) noexcept {
    at(self).read(op, [op, revision, name = std::string(sdk::view(agent))](Reads& reads) { reads.spec(op, name, revision); });
  }
  static void agent_state(void* self, agentd_op op, agentd_str agent) noexcept {
    at(self).read(op, [op, name = std::string(sdk::view(agent))](Reads& reads) { reads.agent_state(op, name); });
  }
  static void cursors(void* self, agentd_op op, const agentd_str* names, uint64_t count) noexcept {
    std::vector<std::string> asked;
    asked.reserve(static_cast<std::size_t>(count));
    for (uint64_t i = 0; i < count; ++i) asked.emplace_back(sdk::view(names[i]));
    at(self).read(op, [op, all = std::move(asked)](Reads& reads) { reads.cursors(op, all); });
  }

  static void lease(void* self, agentd_op op, const agentd_str* names, uint64_t count) noexcept {
    std::vector<std::string> asked;
    asked.reserve(static_cast<std::size_t>(count));
    for (uint64_t i = 0; i < count; ++i) asked.emplace_back(sdk::view(names[i]));
    at(self).lease(op, std::move(asked));
  }
  static int32_t claim_state(void* self, agentd_run_id run, uint64_t generation) noexcept { return at(self).claim_state(run, generation); }
  static int32_t clocks_agree(void* self, int64_t now_ms) noexcept { return at(self).clocks_agree(now_ms); }
  static void sessions(void* self, agentd_op op) noexcept {
    at(self).read(op, [op, of = at(self).session()](Reads& reads) { reads.sessions(op, of); });
  }
};

template <class L, auto check_files, auto copy_files, auto restore_files>
struct KindOf {
  static constexpr const char* interface_id = AGENTD_LEDGER_ID;
  static const void* table() {
    using S = Slots<L>;
    void (*lease)(void*, agentd_op, const agentd_str*, uint64_t) = nullptr;
    void (*sessions)(void*, agentd_op) = nullptr;
    int32_t (*claim_state)(void*, agentd_run_id, uint64_t) = nullptr;
    int32_t (*clocks_agree)(void*, int64_t) = nullptr;
    if constexpr (requires(L& l) { l.session(); }) lease = &S::lease, sessions = &S::sessions, claim_state = &S::claim_state, clocks_agree = &S::clocks_agree;  // several processes may have it open
    static const agentd_ledger all{&S::create, &S::destroy, &S::enqueue, &S::commit, &S::put_specs, &S::put_cursors, &S::claim, &S::abandon, &S::serve, &S::load,
                                   &S::list, &S::events_after, &S::spec, &S::agent_state, &S::cursors, &S::remove, &S::backup, lease, sessions, claim_state, clocks_agree, check_files, copy_files, restore_files};
    return &all;
  }
  static std::vector<std::string> services() { return {AGENTD_HOST_OPS_1, AGENTD_HOST_WORK_1, AGENTD_HOST_TIMER_1, AGENTD_HOST_LEDGER_1}; }
};

}  // namespace agentd::ledger
