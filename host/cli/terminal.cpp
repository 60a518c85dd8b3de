#include "host/cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "core/base/plain_text.hpp"

namespace agentd::cli {
namespace {

// Characters, not bytes: continuation bytes of UTF-8 take no column.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// As many characters of it as have room; the last one says that there are more.
std::string cut(const std::string& text, std::size_t columns) {
  if (width(text) <= columns) return text;
  std::size_t end = 0, characters = 0;
  for (; end < text.size(); ++end)
    if (width(text.substr(end, 1)) == 1 && ++characters == columns) break;
  return text.substr(0, end) + "…";
}

// What comes from models and tools must not steer a terminal.
std::string one_line(std::string_view text) { return plain_text(text, ""); }

// The largest unit that there is one of.
std::string rounded(Millis time) {
  using namespace std::chrono;
  if (time >= days(1)) return std::to_string(floor<days>(time).count()) + "d";
  if (time >= hours(1)) return std::to_string(floor<hours>(time).count()) + "h";
  if (time >= minutes(1)) return std::to_string(floor<minutes>(time).count()) + "m";
  return std::to_string(floor<seconds>(time).count()) + "s";
}

bool tells_how_it_is(std::string_view name) { return name == "status" || name == "state" || name == "outcome"; }

}  // namespace

Terminal Terminal::of(int descriptor) {
  const bool is_terminal = isatty(descriptor) == 1;
  const char* no_colour = std::getenv("NO_COLOR");
  winsize size{};
  const bool is_known = is_terminal && ioctl(descriptor, TIOCGWINSZ, &size) == 0;
  return {is_terminal, is_terminal && (no_colour == nullptr || *no_colour == '\0'), is_known ? size.ws_col : std::size_t{0},
          std::chrono::floor<Millis>(std::chrono::system_clock::now())};
}

std::string Terminal::moment(const std::string& instant) const {
  const auto at = is_terminal ? parse_instant(instant) : Result<Instant>(fail(""));
  if (!at) return instant;
  return *at > now ? "in " + rounded(*at - now) : rounded(now - *at) + " ago";
}

std::string Terminal::paint(std::string_view text, Colour colour) const {
  if (!colours || colour == Colour::none) return std::string(text);
  const char* code = colour == Colour::red ? "31" : colour == Colour::green ? "32" : colour == Colour::yellow ? "33" : "2";
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

Colour colour_of(std::string_view status) {
  if (status == "completed" || status == "ok" || status == "ready" || status == "loaded") return Colour::green;
  if (status == "failed" || status == "timed_out" || status == "quarantined" || status == "error" || status == "broken") return Colour::red;
  if (status == "waiting" || status == "running" || status == "paused" || status == "unknown" || status == "warning") return Colour::yellow;
  if (status == "skipped" || status == "dropped" || status == "missed" || status == "cancelled") return Colour::dim;
  return Colour::none;
}

std::vector<std::size_t> Table::widths(const Terminal& terminal) const {
  constexpr std::size_t kBetween = 2, kNarrowest = 8;
  std::vector<std::size_t> widths(columns_.size());
  std::size_t whole = kBetween * (columns_.size() - 1);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths[i] = width(columns_[i].name);
    for (const auto& row : rows_) widths[i] = std::max(widths[i], width(one_line(row[i])));
    whole += widths[i];
  }
  while (terminal.columns > 0 && whole > terminal.columns) {
    auto widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (columns_[i].cut == Cut::allowed && widths[i] > std::max(kNarrowest, widest == widths.size() ? 0 : widths[widest])) widest = i;
    if (widest == widths.size()) break;
    --widths[widest], --whole;
  }
  return widths;
}

std::string Table::text(const Terminal& terminal) const {
  std::string out;
  const auto widths = terminal.is_terminal ? this->widths(terminal) : std::vector<std::size_t>(columns_.size());
  const auto add = [&](const std::vector<std::string>& cells, bool header) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto cell = terminal.is_terminal && columns_[i].cut == Cut::allowed ? cut(one_line(cells[i]), widths[i]) : one_line(cells[i]);
      const auto& about = columns_[i].name == "value" ? cells[0] : columns_[i].name;
      out += terminal.paint(cell, header ? Colour::dim : tells_how_it_is(about) ? colour_of(cell) : Colour::none);
      if (i + 1 == cells.size()) continue;
      out += terminal.is_terminal ? std::string(widths[i] - width(cell) + 2, ' ') : "\t";
    }
    out += '\n';
  };
  if (terminal.is_terminal) {
    std::vector<std::string> names;
    for (const auto& column : columns_) names.push_back(column.name);
    add(names, true);
  }
  for (const auto& row : rows_) add(row, false);
  return out;
}

}  // namespace agentd::cli
