#include "host/conformance/events.hpp"

#include <array>

#include "core/base/ids.hpp"

namespace agentd::conformance {
namespace {

using port::Event;
using Ids = std::vector<std::string>;

void append(EventsBench& bench, std::vector<Event> events, const std::string& what) {
  if (const auto done = bench.append(std::move(events)); !done) throw Unmet(what + " failed: " + done.error().message);
}
void reopen(EventsBench& bench) {
  if (const auto done = bench.reopen(); !done) throw Unmet("opening it again failed: " + done.error().message);
}

std::string shown(const Ids& ids) {
  std::string text;
  for (const auto& id : ids) text += (text.empty() ? "" : ", ") + id;
  return text.size() > 400 ? text.substr(0, 400) + "..." : text.empty() ? "nothing" : text;
}
void expect_kept(EventsBench& bench, const Ids& wanted) {
  if (const auto kept = bench.kept(); kept && *kept != wanted) throw Unmet("expected to be kept: " + shown(wanted) + "; kept: " + shown(*kept));
}

// The events of one check, counted from one.
class Numbered {
 public:
  explicit Numbered(const EventsBench& bench) : before_(bench.before()) {}
  Event operator()(int n, std::string payload = "{}", int sub_index = 0) const { return event(before_ + n, std::move(payload), sub_index); }
  std::string id(int n, int sub_index = 0) const { return event_id(before_ + n, sub_index); }

 private:
  const int before_;
};

void keeps_events_in_order(EventsBench& bench) {
  const Numbered event(bench);
  append(bench, {event(1), event(2)}, "the first batch");
  append(bench, {event(3)}, "the next");
  expect_kept(bench, {event.id(1), event.id(2), event.id(3)});
}

void leaves_out_what_came_already(EventsBench& bench) {
  const Numbered event(bench);
  append(bench, {event(1), event(2)}, "a batch");
  append(bench, {event(1), event(2)}, "the same batch again");
  append(bench, {event(1), event(2), event(3)}, "a batch that came already but for its last");
  append(bench, {event(2), event(3)}, "a batch that came already");
  expect_kept(bench, {event.id(1), event.id(2), event.id(3)});
}

void leaves_out_what_came_before_a_restart(EventsBench& bench) {
  const Numbered event(bench);
  append(bench, {event(1), event(2)}, "a batch");
  reopen(bench);
  append(bench, {event(1), event(2), event(3)}, "a batch of which a part came before a restart");
  reopen(bench);
  append(bench, {event(2), event(3)}, "a batch that came before a restart");
  append(bench, {event(4)}, "the batch after it");
  expect_kept(bench, {event.id(1), event.id(2), event.id(3), event.id(4)});
}

void keeps_all_events_of_one_record(EventsBench& bench) {
  const Numbered event(bench);
  Ids all;
  for (int i = 0; i < 12; ++i) {
    append(bench, {event(1, "{}", i)}, "event " + std::to_string(i) + " of a record");
    all.push_back(event.id(1, i));
  }
  append(bench, {event(1, "{}", 9), event(1, "{}", 10), event(2)}, "a batch of which a part came already");
  all.push_back(event.id(2));
  expect_kept(bench, all);
}

void keeps_long_batches(EventsBench& bench) {
  const Numbered event(bench);
  std::vector<Event> batch;
  Ids all;
  for (int n = 1; n <= 1000; ++n) {
    batch.push_back(event(n));
    all.push_back(event.id(n));
  }
  append(bench, batch, "a batch of 1,000 events");
  append(bench, batch, "the same batch again");
  expect_kept(bench, all);
}

void keeps_large_and_odd_payloads(EventsBench& bench) {
  const Numbered event(bench);
  const std::string large = "{\"text\":\"" + std::string(1 << 20, 'x') + "\"}";
  append(bench, {event(1, large)}, "an event of 1 MiB");
  auto odd = event(2, "{\"text\":\"caf\xc3\xa9 \xf0\x9f\x8c\x8d \\n \\\"\"}");
  odd.agent_id = "agent: \"\xe6\x9d\xb1\"", odd.run_id = "1-x", odd.session_id = "a\nb";
  append(bench, {odd}, "an event with texts of any language");
  append(bench, {event(1, large), odd, event(3)}, "the same again, and another");
  expect_kept(bench, {event.id(1), event.id(2), event.id(3)});
}

}  // namespace

Event event(int position, std::string payload, int sub_index) {
  Event e;
  e.id = event_id(position, sub_index);
  e.type = "model_call_started";
  e.agent_id = "a";
  e.timestamp = Instant(Millis(1'700'000'000'123));
  e.payload = std::move(payload);
  return e;
}

std::span<const Check<EventsBench>> events_checks() {
  static constexpr std::array<Check<EventsBench>, 6> kChecks = {{
      {"KeepsEventsInOrder", "keeps events in order", keeps_events_in_order},
      {"LeavesOutWhatCameAlready", "leaves out what came already", leaves_out_what_came_already},
      {"LeavesOutWhatCameBeforeARestart", "leaves out what came before a restart", leaves_out_what_came_before_a_restart},
      {"KeepsAllEventsOfOneRecord", "keeps all events of one record", keeps_all_events_of_one_record},
      {"KeepsLongBatches", "keeps batches of 1,000 events", keeps_long_batches},
      {"KeepsLargeAndOddPayloads", "keeps events of 1 MiB and of any language", keeps_large_and_odd_payloads},
  }};
  return kChecks;
}

}  // namespace agentd::conformance
