#include "host/deltas.hpp"

#include <algorithm>
#include <utility>

#include "core/base/time.hpp"
#include "core/event/json_fields.hpp"

namespace agentd::host {
namespace {

bool continues(const Deltas::Piece& piece, const run::Speaker& speaker, const port::Delta& delta) {
  return piece.kind == delta.kind && piece.index == delta.index && delta.tool.empty() && piece.speaker.step == speaker.step &&
         piece.speaker.run_id == speaker.run_id;
}

const char* name(port::Delta::Kind kind) {
  switch (kind) {
    case port::Delta::Kind::text:
      return "text";
    case port::Delta::Kind::reasoning:
      return "reasoning";
    case port::Delta::Kind::tool_call:
      return "tool_call";
  }
  return "";
}

}  // namespace

Deltas::Reader::Reader(Deltas& deltas, Wish wish) : deltas_(deltas), wish_(std::move(wish)) { deltas_.readers_.push_back(this); }

Deltas::Reader::~Reader() { deltas_.readers_.remove(this); }

bool Deltas::Reader::wants(const run::Speaker& speaker) const {
  const auto fits = [](const std::string& wanted, const std::string& given) { return wanted.empty() || wanted == given; };
  return fits(wish_.agent, speaker.agent_id) && fits(wish_.run, speaker.run_id) && fits(wish_.session, speaker.session_id);
}

void Deltas::Reader::hear(const run::Speaker& speaker, const port::Delta& delta) {
  if (bytes_ + delta.text.size() > kMostBytes) return;
  bytes_ += delta.text.size();
  if (!waiting_.empty() && continues(waiting_.back(), speaker, delta)) {
    waiting_.back().text += delta.text;
    return;
  }
  waiting_.push_back({speaker, delta.kind, delta.index, std::string(delta.tool), std::string(delta.text), deltas_.clock_.now()});
  bytes_ += sizeof(Piece) + delta.tool.size();
  if (waiting_.size() == 1 && wake_) std::exchange(wake_, nullptr)();
}

void Deltas::Reader::when_heard(std::function<void()> wake) {
  if (waiting_.empty())
    wake_ = std::move(wake);
  else
    wake();
}

std::vector<Deltas::Piece> Deltas::Reader::take() {
  bytes_ = 0;
  return std::exchange(waiting_, {});
}

run::Listener Deltas::listener(run::Speaker speaker) {
  if (std::ranges::none_of(readers_, [&](const Reader* reader) { return reader->wants(speaker); })) return nullptr;
  return [this, speaker = std::move(speaker)](const port::Delta& delta) {
    for (auto* reader : readers_)
      if (reader->wants(speaker)) reader->hear(speaker, delta);
  };
}

std::string to_json(const Deltas::Piece& piece) {
  event::ObjectWriter payload;
  payload.number("step", piece.speaker.step)
      .text("kind", name(piece.kind))
      .number("index", static_cast<std::int64_t>(piece.index));
  if (!piece.tool.empty()) payload.text("tool", piece.tool);
  payload.text("text", piece.text);
  event::ObjectWriter event;
  event.text("type", kModelDelta)
      .text("agent_id", piece.speaker.agent_id)
      .text("agent_name", piece.speaker.agent_id)
      .text("run_id", piece.speaker.run_id);
  event.text("session_id", piece.speaker.session_id).text("timestamp", format_instant(piece.at)).raw("payload", payload.finish());
  return event.finish();
}

}  // namespace agentd::host
