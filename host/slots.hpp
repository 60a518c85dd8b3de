// From an agent's schedule to runs in the ledger.
#pragma once
#include <optional>
#include <stop_token>
#include <string>

#include "core/base/turns.hpp"
#include "core/port/ledger_sharing.hpp"
#include "core/schedule/ticker.hpp"
#include "host/log.hpp"
#include "host/members.hpp"

namespace agentd::host {

// The engine thread only.
class Slots {
 public:
  Slots(World world, port::Ledger& ledger, const Members& members, const Log& log, const port::LedgerSharing* sharing = nullptr);

  // Goes on where the ledger says that each agent's slots were left, and begins with those of new schedules now. Agents that run on
  // start do, where this ledger's life has not seen them do it yet.
  Async<void> start();
  // An agent that came or changed while the host runs, or whose mode did: the slots of a schedule that stays go on where they are.
  Async<void> take(MemberRef member);
  Async<void> leave(std::string agent_id);
  // No further slot becomes a run.
  void stop();
  // A slot whose run is about to be removed does not come again. False: that could not be kept.
  Async<bool> keep_dealt_with(std::string agent_id, std::string entry_payload) const;
  std::optional<Instant> next(const std::string& agent_id) const { return ticker_.next_due(agent_id); }

 private:
  bool clocks_agree() const;
  void stand_still();
  Async<void> wait_for_the_clock();
  Async<void> go_on_all();
  Async<void> run_once();
  Async<void> run_once(std::vector<MemberRef> members);
  Async<void> start_some(std::vector<MemberRef> members);
  Async<void> put_out_of_force(std::vector<std::string> agents);
  struct Begin {
    std::optional<Instant> at;             // nothing: it cannot be read
    bool now = false;                      // with this start
    std::optional<Instant> earlier_since;  // another one was in force until now, since then
    Position kept_at = 0, kept_which = 0;
  };
  Async<std::vector<Begin>> begins(std::vector<MemberRef> members);
  Begin begin_of(const Member& member, Position begun, Position mark);
  Async<void> settle_earlier(MemberRef member, Begin* begin);
  Async<std::optional<schedule::Schedule>> earlier_schedule(MemberRef member, Position which);
  Async<void> go_on(const Member& member, std::optional<Instant> begun);
  Async<std::optional<Instant>> last_dealt_with(const Member& member, std::optional<Instant> begun);
  Async<void> keep(std::vector<port::Cursor> cursors);
  Async<bool> try_to_keep(std::vector<port::Cursor> cursors);
  Async<void> keep_later(std::vector<port::Cursor> cursors);
  Async<std::optional<Instant>> last_slot(std::string agent_id, std::string key_before);
  bool is_ahead(Instant dealt_with);
  void take(schedule::SlotBatch batch);
  Async<void> keep_due();
  Async<bool> enqueue(std::vector<port::Entry> entries);
  port::Entry lost_entry(const Member& member, const schedule::LostSlots& lost, const char* behind_key = "") const;
  port::Entry due_entry(const Member& member, const schedule::DueSlot& due) const;

  World world_;
  port::Ledger& ledger_;
  const port::LedgerSharing* const sharing_;  // null: nobody shares the ledger
  const Members& members_;
  const Log& log_;
  std::stop_source stopping_;
  std::vector<port::Entry> due_;  // slots that wait for those before them
  bool keeping_ = false, still_ = false;
  Turns keeping_turns_;
  std::optional<Instant> pruned_;  // slots up to here have been dealt with, whatever the ledger has of them
  std::optional<Instant> ahead_;  // the latest moment in the ledger that the clock has not reached
  schedule::Ticker ticker_;
};

}  // namespace agentd::host
