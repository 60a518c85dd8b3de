#include "parse.hpp"

#include <agentd/sdk/types.hpp>

#include <toml++/toml.h>

#include <algorithm>
#include <initializer_list>
#include <sstream>

#include "duration.hpp"
#include "template.hpp"

namespace agentd::script {
namespace {

std::string at(const std::string& file, const toml::source_region& source) {
  return file + ":" + std::to_string(source.begin.line) + ":" + std::to_string(source.begin.column);
}

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  Script script(const toml::table& root) const {
    only(root, {"agent"});
    Script out;
    out.file = file_;
    for (const auto* table : tables(root, "agent")) out.parts.push_back(part(*table));
    if (out.parts.empty()) fail(root, "a script has at least one [[agent]]");
    return out;
  }

 private:
  [[noreturn]] void fail(const toml::node& node, const std::string& what) const { throw sdk::Error(at(file_, node.source()) + ": " + what); }
  Place place(const toml::node& node) const { return at(file_, node.source()); }

  void only(const toml::table& table, std::initializer_list<std::string_view> known) const {
    for (const auto& [key, node] : table) {
      if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
      std::string names;
      for (const auto name : known) (names += names.empty() ? "" : ", ") += name;
      throw sdk::Error(at(file_, key.source()) + ": unknown key \"" + std::string(key.str()) + "\"; known are: " + names);
    }
  }
  // One table or several, as [[x]] or as x = {...}.
  std::vector<const toml::table*> tables(const toml::table& parent, std::string_view key) const {
    std::vector<const toml::table*> out;
    const auto* node = parent.get(key);
    if (!node) return out;
    if (const auto* one = node->as_table()) return {one};
    const auto* list = node->as_array();
    if (!list) fail(*node, "\"" + std::string(key) + "\" is a table or a list of tables");
    for (const auto& element : *list) {
      if (!element.is_table()) fail(element, "\"" + std::string(key) + "\" is a list of tables");
      out.push_back(element.as_table());
    }
    return out;
  }
  std::string string(const toml::table& table, std::string_view key) const {
    const auto* node = table.get(key);
    if (!node) return {};
    if (!node->is_string()) fail(*node, "\"" + std::string(key) + "\" is a text");
    return node->as_string()->get();
  }

  Part part(const toml::table& table) const {
    only(table, {"name", "match", "step"});
    Part out{string(table, "name"), string(table, "match"), {}};
    for (const auto* one : tables(table, "step")) out.steps.push_back(step(*one));
    if (out.steps.empty()) fail(table, "an [[agent]] has at least one [[agent.step]]");
    return out;
  }
  Step step(const toml::table& table) const {
    only(table, {"delay", "say", "call", "choose"});
    Step out;
    out.place = place(table);
    if (const auto* node = table.get("delay")) {
      const auto delay = node->is_string() ? parse_duration(node->as_string()->get()) : std::nullopt;
      if (!delay) fail(*node, "a delay is written \"250ms\", \"1s\" or \"2m\" and is at most an hour");
      out.delay = *delay;
    }
    const auto choices = tables(table, "choose");
    if (!choices.empty() && (table.contains("say") || table.contains("call"))) fail(table, "a step has either \"choose\", or one of \"say\" and \"call\"");
    if (choices.empty()) out.choices.push_back({{}, action(table)});
    for (const auto* one : choices) out.choices.push_back(choice(*one));
    return out;
  }
  Choice choice(const toml::table& table) const {
    only(table, {"when", "say", "call"});
    Choice out{{}, action(table)};
    for (const auto* one : tables(table, "when")) out.when.push_back(condition(*one));
    return out;
  }
  Action action(const toml::table& table) const {
    const auto* say = table.get("say");
    const auto* call = table.get("call");
    if (!say == !call) fail(table, "one of \"say\" and \"call\" is needed");
    if (say) {
      if (!say->is_string()) fail(*say, "\"say\" is a text");
      return parse_text(say->as_string()->get(), place(*say));
    }
    std::vector<Call> calls;
    for (const auto* one : tables(table, "call")) calls.push_back(this->call(*one));
    if (calls.empty()) fail(*call, "\"call\" is empty");
    return calls;
  }
  Call call(const toml::table& table) const {
    only(table, {"tool", "arguments", "each", "limit"});
    Call out{string(table, "tool"), Value{Members()}, {}, 16, place(table)};
    if (out.tool.empty()) fail(table, "a call names its \"tool\"");
    if (const auto* node = table.get("arguments")) {
      if (!node->is_table()) fail(*node, "\"arguments\" is a table");
      out.arguments = value(*node);
    }
    if (const auto* node = table.get("each")) out.each = parse_path(string(table, "each"), place(*node));
    if (const auto* node = table.get("limit")) {
      const auto limit = node->value<int64_t>().value_or(0);
      if (limit < 1 || limit > 128) fail(*node, "a limit is a number from 1 to 128");
      out.limit = static_cast<std::size_t>(limit);
    }
    return out;
  }
  Condition condition(const toml::table& table) const {
    only(table, {"value", "op", "than"});
    Condition out;
    out.place = place(table);
    const auto* node = table.get("value");
    if (!node) fail(table, "a condition has a \"value\"");
    out.value = value(*node);
    const auto* op = table.get("op");
    out.op = op ? parse_op(*op) : Op::exists;
    const auto* than = table.get("than");
    const bool alone = out.op == Op::exists || out.op == Op::missing;
    if (!alone && !than) fail(table, "a condition with this \"op\" has a \"than\"");
    if (alone && than) fail(*than, "\"than\" has no meaning with exists and missing");
    if (than) out.than = value(*than);
    return out;
  }
  Op parse_op(const toml::node& node) const {
    static const std::vector<std::pair<std::string_view, Op>> kOps = {{"<", Op::less},       {"<=", Op::at_most},    {">", Op::more},
                                                                     {">=", Op::at_least},   {"==", Op::equal},      {"!=", Op::not_equal},
                                                                     {"contains", Op::contains}, {"exists", Op::exists}, {"missing", Op::missing}};
    if (node.is_string()) {
      for (const auto& [name, op] : kOps)
        if (name == node.as_string()->get()) return op;
    }
    fail(node, "\"op\" is one of < <= > >= == != contains exists missing");
  }
  Value value(const toml::node& node) const {
    if (const auto* text = node.as_string()) return {parse_text(text->get(), place(node))};
    if (const auto* number = node.as_integer()) return {Constant{std::to_string(number->get())}};
    if (const auto* number = node.as_floating_point()) {
      if (!(number->get() - number->get() == 0)) fail(node, "a number that JSON cannot hold");
      return {Constant{sdk::to_json(number->get())}};
    }
    if (const auto* truth = node.as_boolean()) return {Constant{truth->get() ? "true" : "false"}};
    if (const auto* list = node.as_array()) {
      Values out;
      for (const auto& element : *list) out.push_back(value(element));
      return {std::move(out)};
    }
    if (const auto* table = node.as_table()) {
      Members out;
      for (const auto& [key, element] : *table) out.push_back({std::string(key.str()), value(element)});
      return {std::move(out)};
    }
    std::ostringstream text;  // dates and times
    node.visit([&](const auto& leaf) {
      if constexpr (toml::is_date<decltype(leaf)> || toml::is_time<decltype(leaf)> || toml::is_date_time<decltype(leaf)>) text << leaf;
    });
    return {Constant{sdk::to_json(text.str())}};
  }

  std::string file_;
};

std::string short_name(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

}  // namespace

Script parse_script(const std::string& text, const std::string& name) try {
  return Reader(name).script(toml::parse(text, name));
} catch (const toml::parse_error& e) {
  throw sdk::Error(at(name, e.source()) + ": " + std::string(e.description()));
}

Script read_script(const std::string& path) try {
  const auto name = short_name(path);
  return Reader(name).script(toml::parse_file(path));
} catch (const toml::parse_error& e) {
  if (e.source().begin.line == 0) throw sdk::Error("the script \"" + path + "\" cannot be read: " + std::string(e.description()));
  throw sdk::Error(at(short_name(path), e.source()) + ": " + std::string(e.description()));
}

}  // namespace agentd::script
