#include "template.hpp"

#include <agentd/sdk/error.hpp>

#include <charconv>

namespace agentd::script {
namespace {

[[noreturn]] void fail(const Place& place, const std::string& what) { throw sdk::Error(place + ": " + what); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Format parse_format(std::string_view name, const Place& place) {
  if (name == "round") return Format::round;
  if (name == "fixed1") return Format::fixed1;
  if (name == "bytes") return Format::bytes;
  if (name == "count") return Format::count;
  if (name == "json") return Format::json;
  fail(place, "\"" + std::string(name) + "\" is not a format; there are: round, fixed1, bytes, count, json");
}

Placeholder parse_placeholder(std::string_view inside, const Place& place) {
  const auto bar = inside.find('|');
  Placeholder out{parse_path(trimmed(inside.substr(0, bar)), place), Format::plain};
  if (bar != inside.npos) out.format = parse_format(trimmed(inside.substr(bar + 1)), place);
  return out;
}

class Parser {
 public:
  Parser(std::string_view text, const Place& place) : rest_(text), place_(place) {}

  // Up to the end, or in a loop up to its {{/each}}.
  Text run(bool in_loop) {
    Text out{{}, place_};
    for (;;) {
      const auto open = rest_.find("{{");
      if (open != 0 && !rest_.empty()) out.pieces.emplace_back(std::string(rest_.substr(0, open)));
      if (open == rest_.npos) break;
      rest_.remove_prefix(open + 2);
      const auto close = rest_.find("}}");
      if (close == rest_.npos) fail(place_, "a \"{{\" without its \"}}\"");
      const auto inside = trimmed(rest_.substr(0, close));
      rest_.remove_prefix(close + 2);
      if (inside == "/each") {
        if (!in_loop) fail(place_, "{{/each}} without {{#each ...}}");
        return out;
      }
      if (inside.substr(0, 6) == "#each ") out.pieces.emplace_back(loop(trimmed(inside.substr(6))));
      else out.pieces.emplace_back(parse_placeholder(inside, place_));
    }
    if (in_loop) fail(place_, "{{#each ...}} without {{/each}}");
    return out;
  }

 private:
  std::shared_ptr<const Each> loop(std::string_view head) {
    auto each = std::make_shared<Each>();
    if (const auto at = head.find(" limit "); at != head.npos) {
      const auto digits = trimmed(head.substr(at + 7));
      const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), each->limit);
      if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || each->limit > 1000) fail(place_, "a limit is a number up to 1000");
      head = trimmed(head.substr(0, at));
    }
    each->path = parse_path(head, place_);
    each->body = run(true);
    return each;
  }
  std::string_view rest_;
  const Place& place_;
};

}  // namespace

Path parse_path(std::string_view text, const Place& place) {
  Path out;
  out.text = text;
  std::size_t from = 0;
  for (bool first = true; from <= text.size(); first = false) {
    const auto slash = std::min(text.find('/', from), text.size());
    std::string part(text.substr(from, slash - from));
    from = slash + 1;
    for (auto at = part.find("~1"); at != part.npos; at = part.find("~1")) part.replace(at, 2, "/");
    for (auto at = part.find("~0"); at != part.npos; at = part.find("~0", at + 1)) part.replace(at, 2, "~");
    if (first) out.variable = part;
    else out.pointer.push_back(part);
  }
  if (out.variable.empty() || out.variable.find(' ') != std::string::npos) fail(place, "\"" + out.text + "\" does not begin with a variable: query, agent, params, results, all, or a tool's name");
  return out;
}

Text parse_text(std::string_view text, const Place& place) { return Parser(text, place).run(false); }

const Placeholder* only_placeholder(const Text& text) { return text.pieces.size() == 1 ? std::get_if<Placeholder>(&text.pieces[0]) : nullptr; }

}  // namespace agentd::script
