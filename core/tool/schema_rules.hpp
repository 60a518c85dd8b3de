// The compiled form of a JSON Schema: for each subschema the rules it makes. Subschemas refer to each other by pointer, so that a
// schema may contain itself.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/tool/pattern.hpp"
#include "core/tool/text_format.hpp"

namespace agentd::tool {

struct Node;

struct Never {};
struct Types {
  enum Bit : unsigned { null = 1, boolean = 2, integer = 4, number = 8, string = 16, array = 32, object = 64 };
  unsigned allowed = 0;
};
struct Choices {  // enum and const
  std::set<std::string, std::less<>> canonical;
  std::size_t longest = 0;
  std::string shown;
};
struct Bound {
  enum class Kind { minimum, above, maximum, below } kind;
  long double limit;  // holds each integer of 64 bits exactly
  std::string shown;
};
struct MultipleOf {
  long double divisor;
  std::string shown;
};
struct Size {
  enum class Of { text, array, object } of;
  std::uint64_t least = 0, most = UINT64_MAX;
};
struct Matches {
  const Pattern* pattern;
  std::string shown;
};
struct Formatted {
  TextFormat format;
};
struct Items {
  std::vector<const Node*> first;
  const Node* rest = nullptr;
};
struct Contains {
  const Node* item;
};
struct Unique {};
struct Required {
  std::vector<std::string> names;
};
struct Properties {
  std::map<std::string, const Node*, std::less<>> named;
  std::vector<std::pair<const Pattern*, const Node*>> matching;
  const Node* rest = nullptr;
};
struct PropertyNames {
  const Node* name;
};
struct Dependencies {
  std::map<std::string, std::variant<Required, const Node*>, std::less<>> of;
};
struct Combined {
  enum class How { all, any, one } how;
  std::vector<const Node*> parts;
};
struct Not {
  const Node* excluded;
};
struct Conditional {
  const Node* condition;
  const Node* then = nullptr;
  const Node* otherwise = nullptr;
};

using Rule = std::variant<Never, Types, Choices, Bound, MultipleOf, Size, Matches, Formatted, Items, Contains, Unique, Required,
                          Properties, PropertyNames, Dependencies, Combined, Not, Conditional>;

struct Node {
  std::vector<Rule> rules;
};

// Owns what the rules point to.
struct Rules {
  std::deque<Node> nodes;  // the first is the schema itself or what it refers to
  std::deque<Pattern> patterns;
  const Node* root = nullptr;
};

}  // namespace agentd::tool
