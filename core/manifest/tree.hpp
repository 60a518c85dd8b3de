// Configuration as a tree whose every node knows where it was written: what files, the environment, flags and defaults have in
// common, so that one set of tables reads them all.
#pragma once
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/manifest/problem.hpp"

namespace agentd::manifest {

using Json = nlohmann::json;

struct Source {
  std::string name;                          // as people see it: "agents/a.toml", "env AGENTD__LOG__LEVEL", "--listen"
  std::string folder;                        // relative paths in it are relative to this, which is absolute
  bool is_sent = false;                      // it came without a file: relative paths in it are problems
  struct Step {                              // of a JSON document: where a node stands
    int parent = 0;                          // its line; 0: this is the document
    std::string token;                       // "/name", escaped as in a pointer
  };
  std::vector<Step> steps = {};              // by the node's line, from 1
};

struct Place {
  std::shared_ptr<const Source> source;      // one per file, shared by all its nodes
  int line = 0;
  int column = 0;
};
Problem problem_at(const Place& place, std::string message);

struct Moment {                              // a TOML date or time, as text
  std::string text;
};

struct Tree {
  struct Entry;
  using List = std::vector<Tree>;
  using Table = std::vector<Entry>;          // in the order of the text
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Moment, List, Table> value;
  Place place;

  const Table* table() const { return std::get_if<Table>(&value); }
  const List* list() const { return std::get_if<List>(&value); }
  const std::string* text() const { return std::get_if<std::string>(&value); }
  const Entry* find(std::string_view key) const;  // nullptr also when this is no table
};

struct Tree::Entry {
  std::string key;
  Place place;                               // of the key
  Tree value;
};

const char* kind_of(const Tree& tree);       // "text", "a whole number", "a table", ...

// The entry at the end of a path, or nullptr.
const Tree::Entry* find(const Tree& tree, std::span<const std::string_view> path);
// Where a path was written, or the nearest table above it.
Place place_of(const Tree& tree, std::span<const std::string_view> path);

// Sets the value at a path, making tables on the way; replaces whatever stands there.
void put(Tree& root, std::span<const std::string> path, Tree value);

// What `over` says holds; tables are merged, everything else is replaced. A table that both have keeps its place in a file.
void merge(Tree& under, const Tree& over);

// "toolsets.fs": names as TOML writes them, quoted where they are no bare keys.
std::string dotted_key(std::span<const std::string> path);

Json to_json(const Tree& tree);
Tree from_json(const Json& json, const Place& place);
// Each node with its own place. The source is the document's alone, and nobody else reads it yet.
Tree from_document(const Json& json, const std::shared_ptr<Source>& source);

}  // namespace agentd::manifest
