// What is wrong with a manifest or a configuration, and where. All problems of a file are collected in one pass.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace agentd::manifest {

struct Problem {
  std::string file;                          // or "env NAME", or a flag; empty: of no file
  int line = 0;                              // from 1; 0: the whole of it
  int column = 0;
  std::string message;
  std::string pointer = {};                  // RFC 6901, in place of line and column: where it stands in a JSON document
  friend bool operator==(const Problem&, const Problem&) = default;
};

// For people: what is not UTF-8 and control characters become U+FFFD.
std::string to_text(const Problem& problem);  // "file:line:column: message", "file:/pointer: message"
std::string place_text(const Problem& problem);  // "file:line:column", "file:/pointer"

std::string quote(std::string_view word);      // "word", with the quotes

// By file and place, each once.
void sort_problems(std::vector<Problem>& problems);

}  // namespace agentd::manifest
