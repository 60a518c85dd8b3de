// A script as it was read. See parse.hpp for how people write it.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace agentd::script {

using Place = std::string;  // "demo.toml:12:9", for messages

// "params/thresholds/cpu_usage": a variable, then a JSON pointer into it.
struct Path {
  std::string variable;
  std::vector<std::string> pointer;
  std::string text;  // as written
};

enum class Format { plain, round, fixed1, bytes, count, json };

struct Placeholder {
  Path path;
  Format format = Format::plain;
};
struct Each;
using Piece = std::variant<std::string, Placeholder, std::shared_ptr<const Each>>;  // shared: a variant cannot hold an incomplete type, and it never changes
struct Text {
  std::vector<Piece> pieces;
  Place place;
};
struct Each {
  Path path;
  std::size_t limit = 50;
  Text body;
};

// An argument: JSON as it stands, a text with placeholders, or a list or object of such.
struct Value;
using Values = std::vector<Value>;
struct Member;
using Members = std::vector<Member>;
struct Constant {
  std::string json;
};
struct Value {
  std::variant<Constant, Text, Values, Members> is;
};

struct Member {
  std::string name;
  Value value;
};

enum class Op { less, at_most, more, at_least, equal, not_equal, contains, exists, missing };
struct Condition {
  Value value, than;
  Op op = Op::exists;
  Place place;
};

struct Call {
  std::string tool;
  Value arguments;
  std::optional<Path> each;  // one call for every element
  std::size_t limit = 16;
  Place place;
};

using Action = std::variant<Text, std::vector<Call>>;  // say, or call
struct Choice {
  std::vector<Condition> when;  // all must hold
  Action action;
};
struct Step {
  std::vector<Choice> choices;  // the first that fits
  std::chrono::milliseconds delay{0};
  Place place;
};
struct Part {
  std::string agent;  // agent_id; empty: any
  std::string match;  // a text that the query must hold; empty: any
  std::vector<Step> steps;
};
struct Script {
  std::vector<Part> parts;
  std::string file;
};

}  // namespace agentd::script
