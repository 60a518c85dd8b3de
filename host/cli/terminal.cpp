#include "host/cli/terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace agentd::cli {
namespace {

// Characters, not bytes: continuation bytes of UTF-8 take no column.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// What comes from models and tools must not steer a terminal.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return out;
}

}  // namespace

Terminal Terminal::of(int descriptor) {
  const bool is_terminal = isatty(descriptor) == 1;
  const char* no_colour = std::getenv("NO_COLOR");
  return {is_terminal, is_terminal && (no_colour == nullptr || *no_colour == '\0')};
}

std::string Terminal::paint(std::string_view text, Colour colour) const {
  if (!colours || colour == Colour::none) return std::string(text);
  const char* code = colour == Colour::red ? "31" : colour == Colour::green ? "32" : colour == Colour::yellow ? "33" : "2";
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

Colour colour_of(std::string_view status) {
  if (status == "completed" || status == "ok" || status == "ready" || status == "loaded") return Colour::green;
  if (status == "failed" || status == "timed_out" || status == "quarantined" || status == "error" || status == "broken") return Colour::red;
  if (status == "waiting" || status == "running" || status == "paused" || status == "unknown") return Colour::yellow;
  if (status == "skipped" || status == "dropped" || status == "missed" || status == "cancelled") return Colour::dim;
  return Colour::none;
}

std::string Table::text(const Terminal& terminal) const {
  std::string out;
  std::vector<std::size_t> widths(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths[i] = width(columns_[i]);
    for (const auto& row : rows_) widths[i] = std::max(widths[i], width(one_line(row[i])));
  }
  const auto add = [&](const std::vector<std::string>& cells, bool header) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto cell = one_line(cells[i]);
      const bool last = i + 1 == cells.size();
      out += terminal.paint(cell, header ? Colour::dim : colour_of(cell));
      if (last) continue;
      out += terminal.is_terminal ? std::string(widths[i] - width(cell) + 2, ' ') : "\t";
    }
    out += '\n';
  };
  if (terminal.is_terminal) add(columns_, true);
  for (const auto& row : rows_) add(row, false);
  return out;
}

}  // namespace agentd::cli
