#include <ostream>

#include "core/base/json_text.hpp"
#include "core/base/plain_text.hpp"

#include "host/cli/ask.hpp"

namespace agentd::cli {
namespace {
using Json = nlohmann::ordered_json;

constexpr Millis kIdle{60'000};  // the host sends a sign of life every 15 s
constexpr std::size_t kDetailForEyes = 160, kDetail = 4096;

// What of an event's payload a person wants on one line; what may be long comes last.
std::string detail(const Json& payload, const Terminal& terminal) {
  std::string out;
  for (const bool is_long : {false, true})
    for (const auto& [key, value] : payload.items()) {
      if (key == "kwargs" || value.is_null() || (value.is_structured() && value.empty()) || (value.is_string() && value.get_ref<const std::string&>().empty())) continue;
      if ((value.is_structured() || key == "result") != is_long) continue;
      out += (out.empty() ? "" : " ") + key + "=" + text(payload, key);
    }
  const auto most = terminal.is_terminal ? kDetailForEyes : kDetail;
  return out.size() > most ? std::string(clip_utf8(out, most - 3)) + "..." : out;
}

void print_event(const Json& event, const Events& command, const Output& to) {
  if (command.connection.json) {
    to.out << plain_json(event.dump(-1, ' ', false, Json::error_handler_t::replace)) << '\n' << std::flush;
    return;
  }
  const std::string between = to.terminal.is_terminal ? "  " : "\t";
  const auto type = text(event, "type");
  const auto colour = type.ends_with("_error") || type.ends_with("_failed") || type.ends_with("_quarantined") ? Colour::red
                      : type.ends_with("task_completed")                                                      ? Colour::green
                                                                                                              : Colour::none;
  const auto plain = [](const std::string& text) { return plain_text(text, ""); };
  to.out << to.terminal.paint(plain(text(event, "timestamp")), Colour::dim) << between << plain(text(event, "agent_id")) << between << to.terminal.paint(plain(type), colour)
         << between << plain(text(event, "run_id")) << between << plain(detail(event.value("payload", Json::object()), to.terminal)) << '\n'
         << std::flush;
}

std::string target_of(const Events& command, const std::string& since, const char* limit) {
  auto path = target("/v1/events", {{"agent", command.agent}, {"run", command.run}, {"session", command.session}, {"since", since}, {"limit", limit}});
  for (const auto& type : command.types) path += (path.find('?') == std::string::npos ? "?" : "&") + std::string("type=") + percent_encode(type);
  return path;
}

// What the ledger has, page by page; the last id seen.
Asked<std::string> print_kept(const Events& command, const Output& to) {
  std::string since = command.since;
  while (true) {
    const auto page = get(command.connection, target_of(command, since, "500"));
    if (!page) return std::unexpected(page.error());
    for (const auto& event : page->value("events", Json::array())) print_event(event, command, to);
    const auto next = page->value("next", Json());
    if (!next.is_string()) return since;
    since = next.get<std::string>();
  }
}

int follow(const Events& command, const Output& to) {
  std::string last = command.since;
  const auto on_line = [&](std::string_view line) {
    if (line.starts_with("id: ")) last = line.substr(4);
    if (line.starts_with("data: ")) {
      const auto event = Json::parse(line.substr(6), nullptr, false);
      if (event.is_object()) print_event(event, command, to);
    }
    return to.out.good();
  };
  const auto http = connect(command.connection);
  if (!http) return tell(http.error(), to);
  const auto ended = http->stream(target_of(command, command.since, ""), last, kIdle, on_line);
  if (!ended) return to.out.good() ? tell(refusal(ended.error()), to) : kDone;
  return ended->status == 200 ? kDone : tell(refusal(*ended), to);
}

}  // namespace

int perform(const Events& command, const Output& to) {
  if (command.follow) return follow(command, to);
  const auto printed = print_kept(command, to);
  return printed ? kDone : tell(printed.error(), to);
}

}  // namespace agentd::cli
