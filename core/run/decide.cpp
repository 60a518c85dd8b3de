#include "core/run/decide.hpp"

#include <algorithm>
#include <charconv>

#include "core/run/state.hpp"

namespace agentd::run {
namespace {

using No = NoDecision::Why;
using What = event::Decided::What;

// A run that is due is taken up, or ends, within a moment; then its records say what became of the question.
constexpr int kLooks = 20;
constexpr Millis kBetweenLooks{100};

std::unexpected<NoDecision> no(No why, std::string message) { return std::unexpected(NoDecision{why, std::move(message)}); }

bool is_of(const Asked& asked, int step, int index) { return asked.question.step == step && asked.question.index == index; }

// What people are told of one kind of record after the other.
struct Reading {
  std::vector<Asked> all;

  void operator()(const port::StoredRecord& record, event::Waiting& waiting) {
    for (auto& question : waiting.questions)
      all.push_back({.question = std::move(question), .asked_at = record.at, .until = waiting.until, .decision = {}});
  }
  void operator()(const port::StoredRecord& record, event::Decided& decided) {
    const auto same = [&decided](const Asked& asked) {
      return is_of(asked, decided.question.step, decided.question.index) && asked.question.about == decided.question.about;
    };
    const auto found = std::ranges::find_if(all, same);
    if (found == all.end() || found->decision) return;
    found->open = false;
    found->decided_at = record.at;
    found->decision = std::move(decided);
  }
  void operator()(const port::StoredRecord&, const event::Started&) { close(); }
  void operator()(const port::StoredRecord&, const event::Ended&) { close(); }
  template <class Other>
  void operator()(const port::StoredRecord&, const Other&) {}

  void close() {
    for (auto& asked : all) asked.open = false;
  }
};

bool speaks_of_questions(std::int32_t kind) {
  return kind == event::Waiting::kKind || kind == event::Decided::kKind || kind == event::Started::kKind ||
         kind == event::Ended::kKind;
}

std::string told(const Asked& asked) {
  const auto& decided = *asked.decision;
  if (decided.what == What::timeout) return "nobody decided in time: the call was denied at " + format_instant(asked.decided_at);
  return std::string("it was ") + (decided.what == What::approve ? "approved" : "denied") + " at " +
         format_instant(asked.decided_at) + (decided.by.empty() ? "" : " by " + decided.by) +
         (decided.reason.empty() ? "" : ": " + decided.reason);
}

std::string session_in(std::span<const port::StoredRecord> records) {
  const auto last = event::decode(records.back().kind, records.back().payload);
  return last ? last->session : std::string();
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size() && value >= 0;
  return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

std::vector<Asked> questions_of(std::span<const port::StoredRecord> records) {
  Reading reading;
  for (const auto& record : records) {
    if (!speaks_of_questions(record.kind)) continue;
    auto decoded = event::decode(record.kind, record.payload);
    if (decoded) std::visit([&](auto& body) { reading(record, body); }, decoded->body);
  }
  return std::move(reading.all);
}

std::optional<CallPlace> parse_call_id(std::string_view text) {
  const auto last = text.rfind('/');
  const auto middle = last == text.npos || last == 0 ? text.npos : text.rfind('/', last - 1);
  if (middle == text.npos) return std::nullopt;
  const auto run = parse_run_id(text.substr(0, middle));
  const auto step = number(text.substr(middle + 1, last - middle - 1)), index = number(text.substr(last + 1));
  if (!run || !step || !index) return std::nullopt;
  return CallPlace{*run, *step, *index};
}

class Decisions::Turn {
 public:
  Turn(Decisions& decisions, RunId run) : decisions_(decisions), run_(run) { decisions_.busy_.insert(run_); }
  ~Turn() {
    decisions_.busy_.erase(run_);
    const auto next = decisions_.waiting_.find(run_);
    if (next == decisions_.waiting_.end()) return;
    auto waiting = std::move(next->second);
    decisions_.waiting_.erase(next);
    waiting.set(true);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Decisions& decisions_;
  RunId run_;
};

Async<void> Decisions::wait_for_turn(RunId run) {
  while (busy_.contains(run)) {
    auto start = [this, run](Promise<bool> promise) { waiting_.emplace(run, std::move(promise)); };
    auto waiting = suspend<bool>(start);
    co_await std::move(waiting);
  }
}

Async<std::expected<Asked, NoDecision>> Decisions::decide(CallPlace call, Word word) {
  co_await wait_for_turn(call.run);
  const Turn turn(*this, call.run);
  cleaner_.clean(word.by);
  cleaner_.clean(word.reason);
  auto deciding = decide_in_turn(call, std::move(word));
  co_return co_await std::move(deciding);
}

Async<std::expected<Asked, NoDecision>> Decisions::decide_in_turn(CallPlace call, Word word) {
  for (int look = 0; look < kLooks; ++look) {
    if (look > 0) co_await sleep(world_.timers, kBetweenLooks, std::stop_token());
    const auto records = co_await ledger_.load(call.run);
    if (!records && records.error().fault == port::LedgerFault::not_found) co_return no(No::unknown, "there is no such run");
    if (!records) co_return no(No::busy, records.error().message);
    auto all = questions_of(*records);
    const auto found = std::ranges::find_if(all.rbegin(), all.rend(),
                                            [&call](const Asked& asked) { return is_of(asked, call.step, call.index); });
    if (found == all.rend()) co_return no(No::unknown, "nobody was asked about such a call");
    if (found->decision) co_return no(No::decided, told(*found));
    if (has_ended(*records)) co_return no(No::over, "its run has ended");
    const Instant now = world_.clock.now();
    if (found->open && now >= found->until) co_return no(No::over, "nobody decided before " + format_instant(found->until));
    if (!found->open) continue;
    if (!word.arguments_hash.empty() && word.arguments_hash != found->question.arguments_hash)
      co_return no(No::other_arguments, "its arguments are others; their hash is " + found->question.arguments_hash);

    event::Decided decided{
        .what = word.approve ? What::approve : What::deny, .question = found->question, .by = word.by, .reason = word.reason};
    decided.resumes = std::ranges::count_if(all, &Asked::open) == 1;
    port::Transition transition{.run = call.run, .due_at = now};
    if (decided.resumes) transition.next = port::RunStatus::queued;
    transition.records.push_back(event::to_record(decided, session_in(*records)));
    const auto committed = co_await ledger_.commit(std::move(transition));
    if (committed) {
      found->open = false;
      found->decided_at = now;
      found->decision = std::move(decided);
      co_return std::move(*found);
    }
    if (committed.error().fault != port::LedgerFault::stale) co_return no(No::busy, committed.error().message);
  }
  co_return no(No::busy, "its run is being taken up; ask again");
}

}  // namespace agentd::run
