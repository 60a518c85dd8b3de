// What a person or a script sees: tables on a terminal, tab-separated text in a pipe, colour only where it is wanted.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"

namespace agentd::cli {

enum class Colour { none, red, green, yellow, dim };

struct Terminal {
  bool is_terminal = false;
  bool colours = false;
  std::size_t columns = 0;  // 0: nobody knows
  Instant now{};

  static Terminal of(int descriptor);  // colours: a terminal, and NO_COLOR is not set
  std::string paint(std::string_view text, Colour colour) const;
  // An instant as the API writes it: "5m ago" or "in 2h" on a terminal, as it is in a pipe. What is no instant stays as it is.
  std::string moment(const std::string& instant) const;
};

// Colour of a run's status or an agent's state.
Colour colour_of(std::string_view status);

enum class Cut { allowed, never };
struct Column {
  Column(const char* column, Cut may_cut = Cut::allowed) : name(column), cut(may_cut) {}
  std::string name;
  Cut cut;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // Aligned with a header on a terminal, whose width it keeps by cutting the widest columns that may be cut; without a header,
  // tab-separated and whole, in a pipe. Line breaks in cells become spaces.
  std::string text(const Terminal& terminal) const;

 private:
  std::vector<std::size_t> widths(const Terminal& terminal) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace agentd::cli
