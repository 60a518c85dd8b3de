#include <algorithm>
#include <ostream>

#include "core/base/json_text.hpp"
#include "core/base/plain_text.hpp"
#include "host/cli/ask.hpp"

namespace agentd::cli {
namespace {
using Json = nlohmann::ordered_json;

constexpr Millis kReplayTimeout{60'000};

Json replay_body(const RunsReplay& command) {
  Json body = Json::object();
  if (!command.model.empty()) body["model"] = command.model;
  if (command.from_step) body["from_step"] = *command.from_step;
  if (command.live) body["live"] = true;
  return body;
}

// A side of a difference on one line, as people read it.
std::string side_text(const Json& difference, std::string_view side) {
  const auto found = difference.find(side);
  if (found == difference.end() || found->is_null()) return "nothing";
  auto words = found->dump(-1, ' ', false, Json::error_handler_t::replace);
  if (found->is_object() && found->contains("tool")) {
    words = text(*found, "tool");
    if (found->contains("arguments")) words += " " + (*found)["arguments"].dump(-1, ' ', false, Json::error_handler_t::replace);
    if (found->contains("outcome")) words += " " + text(*found, "outcome") + ": " + text(*found, "content");
  } else if (found->is_object() && found->contains("status")) {
    words = text(*found, "status") + (found->contains("error") ? ": " + text(*found, "error") : std::string());
  }
  std::ranges::replace_if(
      words, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');  // a model's words must not steer the terminal
  return words;
}

void print_difference(const Json& difference, const Output& to) {
  to.out << "step " << text(difference, "step") << ", " << text(difference, "what")
         << ":\n  recorded: " << side_text(difference, "recorded") << "\n  replayed: " << side_text(difference, "replayed")
         << '\n';
}

int print_replay(const Json& run, const Output& to) {
  const auto replay = run.value("replay", Json::object());
  const auto difference = replay.value("difference", Json());
  const bool completed = run.value("status", "") == "completed";
  const int steps = run.value("steps", 0) - replay.value("from_step", 1) + 1;
  if (!difference.is_null())
    print_difference(difference, to);
  else if (completed)
    to.out << "no difference in " << steps << (steps == 1 ? " step\n" : " steps\n");
  if (!completed)
    to.err << "agentd: run " << text(run, "run_id") << " " << text(run, "status") << ": " << plain_text(text(run, "error")) << '\n';
  else if (run.contains("reason"))
    to.err << "agentd: run " << text(run, "run_id") << " went no further: " << plain_text(text(run, "reason")) << '\n';
  return completed && difference.is_null() ? kDone : kFailed;
}

}  // namespace

int perform(const RunsReplay& command, const Output& to) {
  if (to_utf8(command.model) != command.model) return tell(Refusal{kUsage, "--model: it is not UTF-8"}, to);
  const auto asked =
      post(command.connection, "/v1/runs/" + percent_encode(command.run) + "/replay", replay_body(command), kReplayTimeout);
  if (!asked) return tell(asked.error(), to);
  const auto run = end_of(command.connection, text(*asked, "run_id"), *asked, to);
  if (!run) return tell(run.error(), to);
  if (!command.connection.json) return print_replay(*run, to);
  print_json(*run, to);
  const auto difference = run->value("replay", Json::object()).value("difference", Json());
  return run->value("status", "") == "completed" && difference.is_null() ? kDone : kFailed;
}

}  // namespace agentd::cli
