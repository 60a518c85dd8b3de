#include "core/tool/schema_compiler.hpp"

#include <charconv>
#include <cmath>
#include <unordered_map>

#include "core/base/json_text.hpp"

namespace agentd::tool {
namespace {

using nlohmann::json;
using namespace valijson::constraints;

std::string clipped(std::string_view text) { return std::string(clip_utf8(text, kLongestShown)); }
std::string shown(const json& value) { return clipped(value.dump()); }
std::string in_quotes(std::string_view text) { return json_string(clip_utf8(text, kLongestShown)); }

// A JSON pointer, or the reference that led there and what follows.
std::string below(const std::string& place, std::string_view key) { return clipped(place + '/' + pointer_token(key)); }

const json* member(const json& schema, const char* key) {
  const auto found = schema.find(key);
  return found == schema.end() ? nullptr : &*found;
}

// The reference is part of a URI: %20 stands for a space.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 1] + 2, byte, 16).ptr == &text[i + 1] + 2) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// What "#" or "#/definitions/a%20b" refers to.
Result<const json*> referred(const json& document, std::string_view reference) {
  const auto quoted = in_quotes(reference);
  if (!reference.starts_with('#'))
    return fail(ErrorClass::schema, "the reference " + quoted + " leads outside the schema, which is not supported yet");
  const auto path = decoded(reference.substr(1));
  if (!path.empty() && path.front() != '/')
    return fail(ErrorClass::schema,
                "the reference " + quoted + " is no path from the root (\"#/definitions/name\"), which is not supported yet");
  try {
    const json::json_pointer pointer(path);
    if (document.contains(pointer)) return &document.at(pointer);
  } catch (const json::exception&) {  // no JSON pointer
  }
  return fail(ErrorClass::schema, "the reference " + quoted + " leads nowhere");
}

// The formats that are checked: dates and times of RFC 3339, a leap second taken anywhere. Others are taken for notes, as the
// specification has it.
std::string format_pattern(std::string_view name) {
  static constexpr char kDate[] =
      R"((\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8])))"
      R"(|(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29))";
  static constexpr char kTime[] = R"(([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d))";
  if (name == "date") return std::string("^") + kDate + '$';
  if (name == "time") return std::string("^") + kTime + '$';
  if (name == "date-time") return std::string("^") + kDate + "[Tt]" + kTime + '$';
  return "";
}

// Subschemas wait in a line instead of being compiled where they are met: the stack does not grow with what a stranger wrote.
class Compiler {
 public:
  explicit Compiler(const json& root) : root_(root) {}

  Result<std::unique_ptr<const CompiledSchema>> all() {
    out_->root = node(root_, "").subschema;
    for (std::size_t i = 0; i < nodes_.size() && wrong_.empty(); ++i) fill(nodes_[i]);
    for (auto& node : nodes_)
      if (wrong_.empty()) count(node, 0);
    if (!wrong_.empty()) return fail(ErrorClass::schema, wrong_);
    return std::move(out_);
  }

 private:
  struct Node {
    const Subschema* subschema;
    const json& schema;
    std::string place;
    std::vector<Node*> of_same_value = {};  // what it applies to the very value that it checks
    std::size_t checks = 0, height = 0;     // of one value, what it applies included; nothing: not counted yet
    bool counting = false;
  };

  void refuse(const std::string& place, const std::string& words) {
    if (wrong_.empty()) wrong_ = (place.empty() ? "" : place + ": ") + words;
  }
  void add(const Node& n, const valijson::constraints::Constraint& constraint) {
    out_->subschemas.addConstraintToSubschema(constraint, n.subschema);
  }
  void rule(const Node& n, Rule rule) { add(n, RuleConstraint(std::move(rule))); }

  Node& node(const json& schema, std::string place) {
    const json* at = &schema;
    for (std::size_t followed = 0; const auto reference = at->is_object() ? member(*at, "$ref") : nullptr; ++followed) {
      if (!reference->is_string()) return refuse(below(place, "$ref"), "a reference is a string"), nothing_;
      const auto& words = reference->get_ref<const std::string&>();
      if (followed == kMostReferences)
        return refuse(place, "the reference " + in_quotes(words) + " leads in a circle, or through more than " +
                                 std::to_string(kMostReferences) + " others"),
               nothing_;
      const auto target = referred(root_, words);
      if (!target) return refuse(place, target.error().message), nothing_;
      at = *target;
      place = clipped(words);
    }
    if (!at->is_object() && !at->is_boolean()) return refuse(place, "a JSON Schema is an object, true or false"), nothing_;
    auto& known = known_[at];
    if (known) return *known;
    if (nodes_.size() == kMostSubschemas)
      return refuse(place, "there are more than " + std::to_string(kMostSubschemas) + " subschemas"), nothing_;
    known = &nodes_.emplace_back(out_->subschemas.createSubschema(), *at, std::move(place));
    rule(*known, visit(at->size()));
    return *known;
  }
  const Subschema* subschema(const Node& n, const char* key) { return node(n.schema[key], below(n.place, key)).subschema; }
  // Of the same value.
  const Subschema* part(Node& n, const json& schema, std::string place) {
    return n.of_same_value.emplace_back(&node(schema, std::move(place)))->subschema;
  }

  const Pattern* pattern(const std::string& text, const std::string& place) {
    auto& known = patterns_[text];
    if (known) return known;
    if (out_->patterns.size() == kMostPatterns)
      return refuse(place, "there are more than " + std::to_string(kMostPatterns) + " patterns"), nullptr;
    auto compiled = Pattern::compile(text);
    if (!compiled)
      return refuse(place, "the pattern " + in_quotes(text) + " cannot be used: " + compiled.error().message), nullptr;
    pattern_steps_ += compiled->size();
    if (pattern_steps_ > kMostPatternSteps)
      return refuse(place, "with the pattern " + in_quotes(text) + " the patterns are too large together"), nullptr;
    return known = &out_->patterns.emplace_back(std::move(*compiled));
  }

  void fill(Node& n) {
    if (n.schema.is_boolean()) {
      if (!n.schema.get<bool>()) rule(n, never());
      return;
    }
    types_and_values(n);
    numbers(n);
    sizes(n);
    texts(n);
    arrays(n);
    objects(n);
    combined<AllOfConstraint>(n, "allOf");
    combined<AnyOfConstraint>(n, "anyOf");
    combined<OneOfConstraint>(n, "oneOf");
    conditions(n);
  }

  void types_and_values(const Node& n) {
    if (const auto* type = member(n.schema, "type")) {
      static constexpr std::string_view kTypes[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
      const auto all = type->is_array() ? *type : json::array({*type});
      for (const auto& name : all)
        if (!name.is_string() || std::ranges::find(kTypes, name.get<std::string>()) == std::end(kTypes))
          return refuse(below(n.place, "type"),
                        shown(name) + " is not a type; there are null, boolean, integer, number, string, array, object");
      rule(n, types(all));
    }
    if (const auto* values = member(n.schema, "enum")) {
      if (!values->is_array()) return refuse(below(n.place, "enum"), "is an array of values");
      rule(n, choices(*values));
    }
    if (const auto* only = member(n.schema, "const")) rule(n, choices(json::array({*only})));
  }

  const json* number(const Node& n, const char* key) {
    const auto* value = member(n.schema, key);
    if (!value || value->is_number()) return value;
    return refuse(below(n.place, key), "is a number"), nullptr;
  }
  void numbers(const Node& n) {
    for (const auto* key : {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"}) {
      const auto* limit = number(n, key);
      if (limit && key == std::string_view("multipleOf") && limit->get<double>() <= 0)
        return refuse(below(n.place, key), "is a number above 0");
      if (limit) rule(n, bound(key, *limit));
    }
  }

  void sizes(const Node& n) {
    size(n, "minLength", &MinLengthConstraint::setMinLength);
    size(n, "maxLength", &MaxLengthConstraint::setMaxLength);
    size(n, "minItems", &MinItemsConstraint::setMinItems);
    size(n, "maxItems", &MaxItemsConstraint::setMaxItems);
    size(n, "minProperties", &MinPropertiesConstraint::setMinProperties);
    size(n, "maxProperties", &MaxPropertiesConstraint::setMaxProperties);
  }
  template <class Size>
  void size(const Node& n, const char* key, void (Size::*set)(std::uint64_t)) {
    const auto* value = number(n, key);
    if (!value) return;
    const auto count = value->get<double>();
    if (count < 0 || std::trunc(count) != count) return refuse(below(n.place, key), "is a whole number, 0 or more");
    Size size;
    (size.*set)(count < 0x1p63 ? static_cast<std::uint64_t>(count) : UINT64_MAX);
    add(n, size);
  }

  void texts(const Node& n) {
    for (const auto* key : {"pattern", "format"}) {
      const auto* text = member(n.schema, key);
      if (!text) continue;
      if (!text->is_string()) return refuse(below(n.place, key), "is a string");
      const auto& words = text->get_ref<const std::string&>();
      const bool formatted = key == std::string_view("format");
      const auto matched = formatted ? format_pattern(words) : words;
      if (formatted && matched.empty()) continue;
      const auto otherwise = formatted ? "is no " + words + " of RFC 3339" : "does not match the pattern " + clipped(words);
      rule(n, matches(pattern(matched, below(n.place, key)), otherwise));
    }
  }

  void arrays(const Node& n) {
    items(n);
    if (member(n.schema, "contains")) {
      ContainsConstraint contains;
      contains.setSubschema(subschema(n, "contains"));
      add(n, contains);
    }
    const auto* unique = member(n.schema, "uniqueItems");
    if (unique && !unique->is_boolean()) return refuse(below(n.place, "uniqueItems"), "is true or false");
    if (unique && unique->get<bool>()) rule(n, tool::unique());
  }
  void items(const Node& n) {
    const auto* item = member(n.schema, "items");
    if (!item) return;
    if (!item->is_array()) {
      SingularItemsConstraint items;
      items.setItemsSubschema(subschema(n, "items"));
      return add(n, items);
    }
    LinearItemsConstraint items;
    for (const auto* schema : each(n, "items")) items.addItemSubschema(schema->subschema);
    items.setAdditionalItemsSubschema(member(n.schema, "additionalItems") ? subschema(n, "additionalItems")
                                                                          : node(anything_, "").subschema);
    add(n, items);
  }
  std::vector<Node*> each(const Node& n, const char* key) {
    const auto& schemas = n.schema[key];
    const auto place = below(n.place, key);
    std::vector<Node*> all;
    if (!schemas.is_array()) return refuse(place, "is an array of schemas"), all;
    for (std::size_t i = 0; i < schemas.size() && wrong_.empty(); ++i)
      all.push_back(&node(schemas[i], below(place, std::to_string(i))));
    return all;
  }

  void objects(const Node& n) {
    if (const auto* names = member(n.schema, "required")) rule(n, required(names_of(*names, below(n.place, "required"))));
    known_properties(n);
    if (member(n.schema, "propertyNames")) rule(n, property_names(subschema(n, "propertyNames")));
  }
  Names names_of(const json& of, const std::string& place) {
    for (const auto& name : of)
      if (!name.is_string()) return refuse(place, "is an array of names; " + shown(name) + " is none"), Names();
    return of.is_array() ? of.get<Names>() : (refuse(place, "is an array of names"), Names());
  }
  const json* schemas(const Node& n, const char* key) {
    const auto* of = member(n.schema, key);
    if (!of || of->is_object()) return of;
    return refuse(below(n.place, key), "is an object"), nullptr;
  }
  void known_properties(const Node& n) {
    Properties all;
    if (const auto* named = schemas(n, "properties")) {
      const auto place = below(n.place, "properties");
      for (const auto& [name, schema] : named->items()) all.named.emplace(name, node(schema, below(place, name)).subschema);
    }
    if (const auto* matching = schemas(n, "patternProperties")) {
      const auto place = below(n.place, "patternProperties");
      for (const auto& [text, schema] : matching->items())
        all.matching.emplace_back(pattern(text, below(place, text)), node(schema, below(place, text)).subschema);
    }
    if (const auto* rest = member(n.schema, "additionalProperties")) {
      all.rest = subschema(n, "additionalProperties");
      all.closed = *rest == false;
    }
    if (!all.named.empty() || !all.matching.empty() || all.rest) rule(n, properties(std::move(all)));
  }

  template <class Combined>
  void combined(Node& n, const char* key) {
    if (!member(n.schema, key)) return;
    Combined combined;
    for (auto* alternative : each(n, key)) {
      n.of_same_value.push_back(alternative);
      combined.addSubschema(alternative->subschema);
    }
    add(n, combined);
  }

  void conditions(Node& n) {
    if (const auto* excluded = member(n.schema, "not")) {
      NotConstraint constraint;
      constraint.setSubschema(part(n, *excluded, below(n.place, "not")));
      add(n, constraint);
    }
    if (const auto* condition = member(n.schema, "if")) {
      ConditionalConstraint constraint;
      constraint.setIfSubschema(part(n, *condition, below(n.place, "if")));
      if (const auto* then = member(n.schema, "then")) constraint.setThenSubschema(part(n, *then, below(n.place, "then")));
      if (const auto* other = member(n.schema, "else")) constraint.setElseSubschema(part(n, *other, below(n.place, "else")));
      add(n, constraint);
    }
    if (const auto* of = schemas(n, "dependencies")) dependencies(n, *of);
  }
  // valijson's own end names at a NUL.
  void dependencies(Node& n, const json& of) {
    for (const auto& [name, needed] : of.items()) {
      const auto place = below(below(n.place, "dependencies"), name);
      ConditionalConstraint constraint;
      constraint.setIfSubschema(has_all({name}));
      constraint.setThenSubschema(needed.is_array() ? has_all(names_of(needed, place)) : part(n, needed, place));
      add(n, constraint);
    }
  }
  const Subschema* has_all(Names names) {
    const auto* schema = out_->subschemas.createSubschema();
    for (auto& rule : {visit(1), required(std::move(names))})
      out_->subschemas.addConstraintToSubschema(RuleConstraint(rule), schema);
    return schema;
  }

  // How often one and the same value would be checked: allOf, anyOf and their like multiply through references. The depth of the
  // recursion is itself what it bounds.
  void count(Node& n, std::size_t depth) {
    if (n.counting) return refuse(n.place, "it comes back to itself for one value without end");
    if (n.height > 0) return;
    n.counting = true;
    n.checks = 1;
    std::size_t below = 0;
    for (auto* part : n.of_same_value) {
      if (depth < kDeepestCombination) count(*part, depth + 1);
      n.checks += part->checks;
      below = std::max(below, part->height);
    }
    n.counting = false;
    n.height = below + 1;
    if (n.checks > kMostPerValue)
      refuse(n.place, "with its references followed it has one value checked against more than " + std::to_string(kMostPerValue) +
                          " subschemas");
    if (n.height > kDeepestCombination || depth == kDeepestCombination)
      refuse(n.place,
             "allOf, anyOf, oneOf, not, if and dependencies combine more than " + std::to_string(kDeepestCombination) + " deep");
  }

  const json& root_;
  const json anything_ = true;
  std::unique_ptr<CompiledSchema> out_ = std::make_unique<CompiledSchema>();
  std::deque<Node> nodes_;                                          // those that are not filled yet stand at the end
  Node nothing_{out_->subschemas.emptySubschema(), anything_, ""};  // in place of what is refused
  std::unordered_map<const json*, Node*> known_;
  std::map<std::string, const Pattern*> patterns_;
  std::size_t pattern_steps_ = 0;
  std::string wrong_;
};

}  // namespace

Result<std::unique_ptr<const CompiledSchema>> compile_schema(const json& schema) { return Compiler(schema).all(); }

}  // namespace agentd::tool
