#include "core/tool/call.hpp"

#include "core/base/json_text.hpp"

namespace agentd::tool {
namespace {

using event::ToolOutcome;

constexpr int kTries = 4;
constexpr Millis kFirstPause{250};
constexpr std::size_t kLongestKept = 8 << 20;

// How far an escape of a JSON string reaches; both halves of a pair of surrogates are one.
std::size_t escape_size(std::string_view escape) {
  if (escape[1] != 'u') return 2;
  const bool is_half = escape.size() >= 12 && (escape[2] == 'd' || escape[2] == 'D') && std::string_view("89abAB").contains(escape[3]);
  return is_half ? 12 : 6;
}

// The beginning of a JSON string, at least `bytes` of its text where there are as many: what is cut anyway is not decoded.
std::string front_of_string(std::string_view value, std::size_t bytes) {
  std::size_t cut = 1;
  for (std::size_t at = 1, seen = 0; at < value.size() - 1 && seen <= bytes + 8; ++seen) {
    at += value[at] == '\\' ? escape_size(value.substr(at)) : 1;
    if ((static_cast<unsigned char>(value[at]) & 0xc0) != 0x80) cut = at;
  }
  return event::string_value(std::string(value.substr(0, cut)) + '"').value_or("");
}

std::string shortened(std::string_view text, std::uint64_t limit, std::string_view of, std::string_view rest) {
  const auto head = clip_utf8(text, limit);
  std::string words(head);
  return ((((words += "\n[shortened: the first ") += std::to_string(head.size())) += " of ") += of) += rest;
}

// A string is given to the model as its text, everything else as JSON.
void set_content(Reply& reply, std::string_view value, std::uint64_t limit) {
  if (value.empty()) value = "null";
  const bool is_text = value.front() == '"';
  reply.is_json = !is_text;
  if (limit == 0 || value.size() <= limit) {
    reply.content.text = is_text ? std::string(value) : json_string(value);
    return;
  }
  if (value.size() > kLongestKept) {
    const auto front = is_text ? front_of_string(value, limit) : std::string(value.substr(0, limit + 8));
    reply.content.text = json_string(front.size() <= limit ? front : shortened(front, limit, "about " + std::to_string(value.size()), " bytes; the rest is not kept]"));
    return;
  }
  auto decoded = is_text ? event::string_value(value) : std::nullopt;
  const std::string_view text = decoded ? std::string_view(*decoded) : value;
  if (text.size() <= limit) {
    reply.content.text = json_string(text);
    return;
  }
  reply.content.text = json_string(shortened(text, limit, std::to_string(text.size()), " bytes]"));
  reply.whole.text = value;
}

Reply told(ToolOutcome outcome, std::string_view words, std::uint64_t limit) {
  Reply reply{.outcome = outcome};
  reply.content.text = json_string(limit ? clip_utf8(words, limit) : words);
  return reply;
}

port::ToolCall to_call(const Request& request, Millis timeout) {
  return {.call_id = request.call_id, .agent_id = request.agent_id, .run_id = request.run_id, .tool = request.tool->spec->name, .arguments = request.arguments,
          .scope = request.tool->scope, .timeout = timeout};
}

// Before it is shortened: a cut may leave half of a secret, which nobody would know.
port::Outcome cleaned(const Request& request, port::Outcome outcome) {
  if (request.cleaner && outcome.status == port::Status::ok) request.cleaner->clean_json(outcome.value);
  else if (request.cleaner) request.cleaner->clean(outcome.value);
  return outcome;
}

Reply not_begun(const Request& request) {
  Reply reply = to_reply({port::Status::cancelled, "it was not begun", {}}, request.tool->spec->effect, false, request.output_limit);
  reply.status = port::Status::cancelled;
  reply.undone = true;
  return reply;
}

Millis since(const Clock& clock, Tick start) { return std::chrono::floor<Millis>(clock.tick() - start); }

}  // namespace

Reply to_reply(const port::Outcome& outcome, port::Effect effect, bool out_of_time, std::uint64_t limit) {
  switch (outcome.status) {
    case port::Status::ok: {
      Reply reply;
      set_content(reply, outcome.value, limit);
      return reply;
    }
    case port::Status::unknown_outcome:
      if (effect == port::Effect::once) return told(ToolOutcome::unknown, "unknown outcome: it may or may not have happened: " + outcome.value, limit);
      return told(out_of_time ? ToolOutcome::timeout : ToolOutcome::error, (out_of_time ? "error: out of time: " : "error: ") + outcome.value, limit);
    case port::Status::cancelled:
      if (out_of_time) return told(ToolOutcome::timeout, "error: out of time: " + outcome.value, limit);
      break;
    default:
      break;
  }
  return told(ToolOutcome::error, "error: " + outcome.value, limit);
}

Async<Reply> call(World world, Request request, std::stop_token stop) {
  if (request.dry_run && (request.asks || request.tool->spec->effect != port::Effect::pure)) co_return told(ToolOutcome::ok, "dry run", 0);
  const Tick start = world.clock.tick();
  for (int tries = 1;; ++tries) {
    if (request.may_begin) {
      auto asking = request.may_begin();
      const bool may = co_await std::move(asking);
      if (!may) co_return not_begun(request);
    }
    auto made = to_call(request, request.timeout - since(world.clock, start));
    auto calling = request.tool->toolset->call(std::move(made), stop);
    const port::Outcome outcome = cleaned(request, co_await std::move(calling));
    const Millis used = since(world.clock, start);
    const Millis pause = std::max(outcome.retry_after.value_or(Millis(0)), kFirstPause * (1 << (tries - 1)));
    const bool again = outcome.status == port::Status::retryable && tries < kTries && pause < request.timeout - used && !stop.stop_requested();
    if (again) {
      const bool slept = co_await sleep(world.timers, pause, stop);
      if (slept) continue;
    }
    Reply reply = to_reply(outcome, request.tool->spec->effect, used >= request.timeout, request.output_limit);
    reply.status = outcome.status;
    reply.duration = used;
    const bool may_be_made_again = request.tool->spec->effect != port::Effect::once && outcome.status == port::Status::unknown_outcome;
    reply.undone = stop.stop_requested() && (may_be_made_again || outcome.status == port::Status::cancelled || outcome.status == port::Status::retryable);
    co_return reply;
  }
}

Async<Found> find_out(World world, Request request) {
  Found found;
  if (request.tool && request.tool->spec->reconciles) {
    const Tick start = world.clock.tick();
    auto asked = to_call(request, request.timeout);
    auto asking = request.tool->toolset->reconcile(std::move(asked));
    const port::Outcome outcome = cleaned(request, co_await std::move(asking));
    found.reply.duration = since(world.clock, start);
    if (outcome.status == port::Status::retryable) found.kind = Found::Kind::not_happened;
    if (outcome.status == port::Status::ok) {
      found.kind = Found::Kind::happened;
      set_content(found.reply, outcome.value, request.output_limit);
    }
    if (found.kind != Found::Kind::unknown) co_return found;
  }
  found.reply = told(ToolOutcome::unknown, "unknown outcome: the host stopped while this call was being made; it may or may not have happened", 0);
  co_return found;
}

}  // namespace agentd::tool
