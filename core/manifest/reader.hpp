#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/manifest/tree.hpp"

namespace agentd::manifest {

// Content of a text file, by absolute path.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

// The real one: regular files of at most 1 MiB.
Result<std::string> read_text_file(const std::string& path);

// What goes along while a tree is read: collects every problem, and knows what the text may refer to.
struct Reader {
  ReadFile read_file;
  bool canonical = false;                    // a stored text: files are in it already, and what was accepted once stays accepted
  std::vector<Problem> problems;
  std::vector<Problem> notes;                // worth saying, no reason to refuse

  void problem(const Place& place, std::string message) { problems.push_back(problem_at(place, std::move(message))); }
  void note(const Place& place, std::string message) { notes.push_back(problem_at(place, std::move(message))); }
  // `"max_steps" must be a whole number, not text`. Says nothing about a node whose own mistake is known already.
  void wrong_type(const Tree& value, std::string_view key, std::string_view wanted);
  // The path made absolute. A relative one where there is no file to be relative to is a problem.
  std::string path(const Place& place, std::string_view key, const std::string& path);
};

// Absolute, relative to the file that names it.
std::string resolve_path(const Place& place, const std::string& path);

}  // namespace agentd::manifest
