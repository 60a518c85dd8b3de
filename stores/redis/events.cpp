#include "events.hpp"

#include "scripts.hpp"
#include "stores/text/event_id.hpp"
#include "stores/text/instant.hpp"

namespace agentd::redis {

Events::Events(const Settings& settings, const sdk::Host& host) : host_(host), stream_(settings.stream), max_events_(settings.max_events), client_(settings, host) {}

void Events::append(const sdk::EventBatch& batch) {
  while (!is_known_ || !append_what_is_new(batch)) {
    found_ = latest_ = find_latest();
    is_known_ = true;
    earlier_.reset();
  }
}

// What the server acknowledged and then lost in a crash of its own is not coming again: the host has gone on.
std::optional<Told> Events::find_latest() {
  const auto reply = client_.ask(Command(script::kLatest, stream_));
  auto latest = reply.is_nothing() ? std::nullopt : std::optional(told(reply));
  if (!kept_.empty() && (!latest || stores::is_before(latest->id, kept_)))
    host_.log(sdk::Level::error, "the stream \"" + stream_ + "\" of " + client_.name() + " has lost events that it had acknowledged: " +
                                     (latest ? "those after " + latest->id : "all") + " up to " + kept_ + "; the ledger still has them");
  kept_ = latest ? latest->id : "";
  checked_.clear();
  return latest;
}

// Every ledger counts its positions from one. Events that are here already come again after the end of a process, and are the same
// then; those of another ledger have the same ids and are not. What was trimmed tells itself by its instant alone.
void Events::check_came_before(const sdk::Event& e, const Told& found) {
  if (!earlier_) earlier_.emplace(client_, stream_, e.id);
  const auto at = stores::instant_text(e.timestamp_ms);
  const auto earlier = earlier_->event(e.id);
  const bool same = earlier ? earlier->timestamp == at && earlier->run_id == e.run_id : at <= found.timestamp;
  if (!same) {
    earlier_.reset();
    throw sdk::Error("the stream \"" + stream_ + "\" of " + client_.name() + " holds events of another ledger; move it away (RENAME) or name another with stream");
  }
  checked_ = e.id;
}

bool Events::append_what_is_new(const sdk::EventBatch& batch) {
  Command command(script::kAppend, stream_, latest_ ? latest_->id : "", max_events_);
  auto last = latest_;
  bool has_news = false;
  for (const auto& e : batch) {
    if (found_ && !stores::is_before(found_->id, e.id) && stores::is_before(checked_, e.id)) check_came_before(e, *found_);
    if (last && !stores::is_before(last->id, e.id)) continue;
    has_news = true;
    last = Told{std::string(e.id), stores::instant_text(e.timestamp_ms), std::string(e.run_id)};
    command.add(e.id).add(e.type).add(e.agent_id).add(e.agent_id).add(e.run_id).add(e.session_id).add(last->timestamp).add(e.payload.empty() ? "{}" : e.payload);
  }
  if (!has_news) return true;
  if (client_.ask(command).number() == 0) return false;
  latest_ = std::move(last);
  kept_ = latest_->id;
  earlier_.reset();
  return true;
}

}  // namespace agentd::redis
