// What a person or a script sees: tables on a terminal, tab-separated text in a pipe, colour only where it is wanted.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace agentd::cli {

enum class Colour { none, red, green, yellow, dim };

struct Terminal {
  bool is_terminal = false;
  bool colours = false;

  static Terminal of(int descriptor);  // colours: a terminal, and NO_COLOR is not set
  std::string paint(std::string_view text, Colour colour) const;
};

// Colour of a run's status or an agent's state.
Colour colour_of(std::string_view status);

class Table {
 public:
  explicit Table(std::vector<std::string> columns) : columns_(std::move(columns)) {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // Aligned with a header on a terminal; without one, tab-separated, in a pipe. Line breaks in cells become spaces.
  std::string text(const Terminal& terminal) const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace agentd::cli
