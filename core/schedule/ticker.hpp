// Says when slots are due: one timer for up to 100,000 agents.
#pragma once
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/schedule/schedule.hpp"

namespace agentd::schedule {

// A slot noticed later than this is a misfire.
inline constexpr Millis kMisfireAfter{60'000};

// Slots dealt with further ahead of now than this were dealt with by a clock that was wrong.
inline constexpr Millis kAheadOfClock{60'000};

struct Policy {
  enum class Misfire : std::uint8_t { latest, skip, all } misfire = Misfire::latest;
  std::uint32_t most_at_once = 100;      // with all: slots that are made up for in one go, the latest ones
  std::optional<Millis> catchup_window;  // not set: the larger of 1 h and one period, at most 7 d
};
Policy make_policy(const manifest::Schedule& schedule, std::int64_t queue_size);

// From when on the slots of a schedule that comes into force now are owed: now, but a single instant (`at`) is looked for within the
// catch-up window.
Instant begin_of(std::string_view agent_id, const Schedule& schedule, const Policy& policy, Instant now);

// A slot to run now.
struct DueSlot {
  std::string agent_id;
  Instant scheduled_at{};  // names the slot: slot_key
  Instant due_at{};        // with the agent's jitter
  bool misfire = false;    // it is late: one of those that were missed
};

// Slots that will not run, as one record.
struct LostSlots {
  enum class Why : std::uint8_t { missed, paused, no_room } why = Why::missed;  // no_room: more than most_at_once
  std::string agent_id;
  std::uint64_t count = 0;
  Instant first{}, last{};
  std::optional<Instant> into{};  // of missed: the slot that runs in their place
};

struct SlotBatch {
  std::vector<DueSlot> due;
  std::vector<LostSlots> lost;
  std::optional<Instant> clock_was{};  // the wall's clock went back from here, and slots that were dealt with by it come again
};

// The engine thread only. Calls the sink from a timer and from hand_over, from no other of its functions; all slots that are due come
// in one call. The sink may call back. Holds about 200 bytes an agent, which it does not give back while it lives.
//
// It goes by the wall's clock and looks at it at least once a minute, so that a jump is noticed. After a small step back
// (kAheadOfClock) agents wait until their last slot is passed again. Where that is further away, the clock was wrong and has been
// put right: slots begin anew from now, and the sink must refuse those that have run, as a ledger does by their keys.
class Ticker {
 public:
  using Sink = std::function<void(SlotBatch)>;
  Ticker(Clock& clock, Timers& timers, Sink sink);
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // Slots not after `after` are dealt with: the agent's last slot in the ledger, or the moment its schedule came into force if
  // that is later. Nothing: it is new, and its slots begin now, as begin_of says. For an agent that is here, replaces the policy, and
  // the schedule where it is another one: slots of the new one begin now, and one of the old that only its jitter holds back still runs.
  void add(std::string agent_id, const Schedule& schedule, Policy policy, std::optional<Instant> after, bool paused = false);
  void remove(std::string_view agent_id);

  // Slots meanwhile are lost, and reported as one stretch after resume. Unknown ids are ignored.
  void pause(std::string_view agent_id);
  void resume(std::string_view agent_id);

  // What add and resume found goes to the sink now rather than with the next tick.
  void hand_over();

  bool has(std::string_view agent_id) const { return find(agent_id).has_value(); }
  // When the agent's next slot is due; nothing for one that is paused, unknown or at its end.
  std::optional<Instant> next_due(std::string_view agent_id) const;
  std::size_t size() const { return index_.size(); }

 private:
  struct Agent {
    std::string id;
    Schedule schedule;
    Policy policy;
    Instant last{};           // slots up to here are dealt with
    std::uint32_t stamp = 0;  // an entry of the heap with another one is void
    bool paused = false;
  };
  struct Due {
    Instant at;
    std::uint32_t agent;
    std::uint32_t stamp;
  };
  // Slots of one instant in the order their agents came, which is the order in which everybody else keeps them as well.
  struct Later {
    bool operator()(const Due& a, const Due& b) const { return a.at != b.at ? a.at > b.at : a.agent > b.agent; }
  };
  struct Hash {
    using is_transparent = void;
    const std::deque<Agent>* agents;
    std::size_t operator()(std::uint32_t i) const { return std::hash<std::string_view>()((*agents)[i].id); }
    std::size_t operator()(std::string_view id) const { return std::hash<std::string_view>()(id); }
  };
  struct Equal {
    using is_transparent = void;
    const std::deque<Agent>* agents;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
    bool operator()(std::string_view id, std::uint32_t i) const { return id == (*agents)[i].id; }
    bool operator()(std::uint32_t i, std::string_view id) const { return id == (*agents)[i].id; }
  };

  std::optional<std::uint32_t> find(std::string_view agent_id) const;
  std::uint32_t place_for(std::string agent_id);
  void queue(std::uint32_t agent, std::optional<Instant> slot);
  void replace(Agent& agent, const Schedule& schedule, std::optional<Instant> after, Instant now);
  void push(Due due);
  Due pop();
  bool is_void(const Due& due) const { return agents_[due.agent].stamp != due.stamp; }
  void drop_void();
  void arm();
  void tick();
  void collect_due(Instant now, SlotBatch& out);
  bool begin_anew(Instant now);

  Clock& clock_;
  Timers& timers_;
  Sink sink_;
  std::deque<Agent> agents_;
  std::vector<std::uint32_t> free_;
  boost::unordered_flat_set<std::uint32_t, Hash, Equal> index_;
  std::vector<Due> heap_;  // earliest first
  Timers::Id timer_ = 0;
  Instant armed_for_{};
  SlotBatch found_;                     // by resume and add, handed over with the next tick
  Instant seen_;                        // the wall's clock when it was last looked at
};

}  // namespace agentd::schedule
