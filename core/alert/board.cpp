#include "core/alert/board.hpp"

#include <algorithm>

#include "core/event/json_fields.hpp"

namespace agentd::alert {
namespace {

constexpr Millis kFirstPause{500}, kLongestPause{30'000};

std::vector<event::Recipient> recipients(const std::vector<std::string>& sinks) {
  std::vector<event::Recipient> all;
  for (const auto& sink : sinks) all.push_back({sink});
  return all;
}

// One that fires, as the record that raised it says it.
event::AlertRaised raised(const Name& name, const Alert& alert) {
  return {name.rule, name.agent_id, name.subject, alert.severity, alert.summary, recipients(alert.sinks), alert.budget};
}

}  // namespace

std::string Board::to_json(const All& firing) {
  std::string list;
  for (const auto& [name, kept] : firing) {
    event::ObjectWriter one;
    one.number("since", kept.since.time_since_epoch().count()).raw("alert", event::encode(raised(name, kept.alert)));
    (list += list.empty() ? "" : ",") += one.finish();
  }
  return "{\"firing\":[" + list + "]}";
}

Async<Result<void>> Board::load() {
  const auto state = co_await ledger_.agent_state(kAgent);
  if (!state) co_return fail("which alerts are raised cannot be read: " + state.error().message);
  const auto object = event::ObjectReader::open(*state);
  if (!object) co_return Result<void>();  // there never was one
  All found;
  const auto list = event::array_elements(object->raw("firing"));
  if (!list) co_return fail(ErrorClass::internal, "which alerts are raised cannot be read: it is not what was written");
  for (const auto element : *list) {
    const auto one = event::ObjectReader::open(element);
    auto decoded = one ? event::decode(event::AlertRaised::kKind, one->raw("alert")) : fail("no object");
    if (!decoded) co_return fail(ErrorClass::internal, "which alerts are raised cannot be read: " + decoded.error().message);
    auto& alert = std::get<event::AlertRaised>(decoded->body);
    Kept kept{{std::move(alert.severity), std::move(alert.summary), {}, std::move(alert.budget)}, Instant(Millis(one->number("since")))};
    for (auto& recipient : alert.deliver) kept.alert.sinks.push_back(std::move(recipient.sink));
    found.insert_or_assign({std::move(alert.rule), std::move(alert.agent_id), std::move(alert.subject)}, std::move(kept));
  }
  firing_ = std::move(found);
  co_return Result<void>();
}

Async<Result<void>> Board::write_under(port::Fence fence) {
  fence_ = std::move(fence);
  auto loading = load();
  auto loaded = co_await std::move(loading);
  if (loaded) resting_ = false;
  co_return loaded;
}

void Board::see(const port::StoredRecord& record, const event::Body& body) {
  if (!resting_) return;
  if (const auto* alert = std::get_if<event::AlertRaised>(&body)) {
    Kept kept{{alert->severity, alert->summary, {}, alert->budget}, record.at};
    for (const auto& recipient : alert->deliver) kept.alert.sinks.push_back(recipient.sink);
    firing_.insert_or_assign({alert->rule, alert->agent_id, alert->subject}, std::move(kept));
  } else if (const auto* cleared = std::get_if<event::AlertCleared>(&body)) {
    firing_.erase({cleared->rule, cleared->agent_id, cleared->subject});
  }
}

bool Board::changes(const Name& name, bool is_wanted) const {
  const auto waiting = wanted_.find(name);
  return (waiting == wanted_.end() ? firing_.contains(name) : waiting->second.has_value()) != is_wanted;
}

bool Board::raise(Name name, Alert alert) {
  if (resting_ || !changes(name, true)) return true;
  if (firing_.size() + wanted_.size() >= kMostFiring) return false;
  want(std::move(name), std::move(alert));
  return true;
}

void Board::clear(const Name& name) {
  if (!resting_ && changes(name, false)) want(name, std::nullopt);
}

void Board::want(Name name, std::optional<Alert> alert) {
  if (stopping_.stop_requested()) return;  // the next host sees it as well
  wanted_.insert_or_assign(std::move(name), std::move(alert));
  if (std::exchange(writing_, true)) return;
  spawn(world_.executor, write());
}

// What is wanted, as one transition, and what fires behind it.
port::Transition Board::next(All& after) const {
  port::Transition transition{.agent_id = kAgent};
  for (const auto& [name, alert] : wanted_) {
    const auto known = after.find(name);
    if (alert && known == after.end()) {
      transition.records.push_back(event::to_record(raised(name, *alert)));
      after.emplace(name, Kept{*alert, world_.clock.now()});
    } else if (!alert && known != after.end()) {
      const auto& was = known->second.alert;
      transition.records.push_back(event::to_record(event::AlertCleared{name.rule, name.agent_id, name.subject, was.severity, was.summary, recipients(was.sinks)}));
      after.erase(known);
    }
  }
  transition.agent_state = to_json(after);
  transition.fence = fence_;
  return transition;
}

Async<void> Board::write() {
  bool is_known = true;
  for (Millis pause = kFirstPause; !wanted_.empty();) {
    if (!is_known) is_known = (co_await load()).has_value();  // what failed may have happened
    auto after = firing_;
    auto transition = next(after);
    const auto done = wanted_;
    if (is_known && transition.records.empty()) {
      wanted_.clear();
      break;
    }
    port::LedgerResult<Position> kept = std::unexpected(port::LedgerError{port::LedgerFault::unavailable, "which alerts are raised cannot be read"});
    if (is_known) kept = co_await ledger_.commit(std::move(transition));
    if (!kept && kept.error().fault == port::LedgerFault::stale) resting_ = true;
    if (!kept && resting_) {  // another replica's board sees the same
      wanted_.clear();
      break;
    }
    if (!kept) {
      if (pause == kFirstPause) warn_("an alert cannot be written: " + kept.error().message);
      const bool slept = co_await sleep(world_.timers, pause, stopping_.get_token());
      if (!slept) break;
      pause = std::min(pause * 2, kLongestPause);
      is_known = false;
      continue;
    }
    pause = kFirstPause;
    firing_ = std::move(after);
    for (const auto& [name, alert] : done)  // what was wanted otherwise meanwhile stays
      if (const auto now = wanted_.find(name); now != wanted_.end() && now->second.has_value() == alert.has_value()) wanted_.erase(now);
  }
  writing_ = false;
}

Async<void> Board::stop() {
  stopping_.request_stop();
  while (writing_) co_await sleep(world_.timers, Millis(1), {});
}

std::vector<Firing> Board::firing() const {
  std::vector<Firing> all;
  for (const auto& [name, kept] : firing_) all.push_back({name, kept.alert, kept.since});
  std::ranges::sort(all, {}, &Firing::since);
  return all;
}

}  // namespace agentd::alert
