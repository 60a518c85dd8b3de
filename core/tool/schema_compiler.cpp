#include "core/tool/schema_compiler.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>

#include "core/base/json_text.hpp"
#include "core/tool/canonical_json.hpp"
#include "core/tool/schema_reference.hpp"
#include "core/tool/schema_repetition.hpp"

namespace agentd::tool {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestShown = 200;

std::string shown(const json& value) { return std::string(clip_utf8(value.dump(), kLongestShown)); }
std::string in_quotes(std::string_view text) { return json_string(clip_utf8(text, kLongestShown)); }

const json* member(const json& schema, const char* key) {
  const auto found = schema.find(key);
  return found == schema.end() ? nullptr : &*found;
}

std::optional<unsigned> type_bit(const json& name) {
  static constexpr std::pair<std::string_view, unsigned> kTypes[] = {
      {"null", Types::null},     {"boolean", Types::boolean}, {"integer", Types::integer}, {"number", Types::number},
      {"string", Types::string}, {"array", Types::array},     {"object", Types::object}};
  for (const auto& [known, bit] : kTypes)
    if (name.is_string() && name.get_ref<const std::string&>() == known) return bit;
  return std::nullopt;
}

// Subschemas wait in a line instead of being compiled where they are met: the stack does not grow with what a stranger wrote.
class Compiler {
 public:
  explicit Compiler(const json& root) : root_(root) {}

  Result<Rules> all() {
    rules_.root = node(root_, nullptr);
    while (wrong_.empty() && !waiting_.empty()) {
      const Draft draft = waiting_.front();
      waiting_.pop_front();
      fill(draft);
    }
    if (wrong_.empty())
      if (const auto repeats = check_repetition(rules_)) refuse(places_.at(repeats->node), repeats->words);
    if (!wrong_.empty()) return fail(ErrorClass::schema, wrong_);
    return std::move(rules_);
  }

 private:
  // Where a subschema stands: below another, or where a reference led.
  struct Place {
    const Place* above;
    std::string key;
  };
  struct Draft {
    Node* node;
    const json& schema;
    const Place* place;
  };

  const Place* below(const Place* above, std::string key) { return &path_.emplace_back(above, std::move(key)); }

  static std::string pointer(const Place* place) {
    std::string text;
    for (; place; place = place->above)
      text.insert(0, place->key.starts_with('#') && !place->above ? place->key : '/' + pointer_token(place->key));
    return text;
  }

  void refuse(const Place* place, const std::string& words) {
    if (wrong_.empty()) wrong_ = place ? std::string(clip_utf8(pointer(place), kLongestShown)) + ": " + words : words;
  }

  const Node* node(const json& schema, const Place* place) {
    const json* at = &schema;
    for (std::size_t followed = 0; const auto reference = at->is_object() ? member(*at, "$ref") : nullptr; ++followed) {
      if (!reference->is_string()) return refuse(below(place, "$ref"), "a reference is a string"), nullptr;
      const auto& words = reference->get_ref<const std::string&>();
      if (followed == kMostReferences)
        return refuse(place, "the reference " + in_quotes(words) + " leads in a circle, or through more than " +
                                 std::to_string(kMostReferences) + " others"),
               nullptr;
      const auto target = referred(root_, words);
      if (!target) return refuse(place, target.error().message), nullptr;
      at = *target;
      place = below(nullptr, words);
    }
    if (!at->is_object() && !at->is_boolean()) return refuse(place, "a JSON Schema is an object, true or false"), nullptr;
    auto& known = nodes_[at];
    if (known) return known;
    if (rules_.nodes.size() == kMostSubschemas)
      return refuse(place, "there are more than " + std::to_string(kMostSubschemas) + " subschemas"), nullptr;
    known = &rules_.nodes.emplace_back();
    places_.emplace(known, place);
    waiting_.push_back({known, *at, place});
    return known;
  }

  const Pattern* pattern(const std::string& text, const Place* place) {
    auto& known = patterns_[text];
    if (known) return known;
    if (rules_.patterns.size() == kMostPatterns)
      return refuse(place, "there are more than " + std::to_string(kMostPatterns) + " patterns"), nullptr;
    auto compiled = Pattern::compile(text);
    if (!compiled)
      return refuse(place, "the pattern " + in_quotes(text) + " cannot be used: " + compiled.error().message), nullptr;
    pattern_steps_ += compiled->size();
    if (pattern_steps_ > kMostPatternSteps)
      return refuse(place, "with the pattern " + in_quotes(text) + " the patterns are too large together"), nullptr;
    return known = &rules_.patterns.emplace_back(std::move(*compiled));
  }

  void fill(const Draft& d) {
    if (d.schema.is_boolean()) {
      if (!d.schema.get<bool>()) d.node->rules.emplace_back(Never{});
      return;
    }
    types(d);
    values(d);
    numbers(d);
    size(d, Size::Of::text, "minLength", "maxLength");
    size(d, Size::Of::array, "minItems", "maxItems");
    size(d, Size::Of::object, "minProperties", "maxProperties");
    texts(d);
    arrays(d);
    objects(d);
    combinations(d);
  }

  void types(const Draft& d) {
    const auto* type = member(d.schema, "type");
    if (!type) return;
    Types types;
    for (const auto& name : type->is_array() ? *type : json::array({*type})) {
      const auto bit = type_bit(name);
      if (!bit)
        return refuse(below(d.place, "type"),
                      shown(name) + " is not a type; there are null, boolean, integer, number, string, array, object");
      types.allowed |= *bit;
    }
    d.node->rules.emplace_back(types);
  }

  void values(const Draft& d) {
    if (const auto* choices = member(d.schema, "enum")) {
      if (!choices->is_array()) return refuse(below(d.place, "enum"), "is an array of values");
      choose(d, *choices);
    }
    if (const auto* only = member(d.schema, "const")) choose(d, json::array({*only}));
  }
  static void choose(const Draft& d, const json& values) {
    Choices choices;
    for (const auto& value : values) {
      std::string text;
      append_canonical(text, value, SIZE_MAX);
      choices.longest = std::max(choices.longest, text.size());
      choices.canonical.insert(std::move(text));
      if (choices.shown.size() < kLongestShown) choices.shown += (choices.shown.empty() ? "" : ", ") + shown(value);
    }
    d.node->rules.emplace_back(std::move(choices));
  }

  const json* number(const Draft& d, const char* key) {
    const auto* value = member(d.schema, key);
    if (!value || value->is_number()) return value;
    return refuse(below(d.place, key), "is a number"), nullptr;
  }
  void numbers(const Draft& d) {
    static constexpr std::pair<const char*, Bound::Kind> kBounds[] = {{"minimum", Bound::Kind::minimum},
                                                                      {"exclusiveMinimum", Bound::Kind::above},
                                                                      {"maximum", Bound::Kind::maximum},
                                                                      {"exclusiveMaximum", Bound::Kind::below}};
    for (const auto& [key, kind] : kBounds)
      if (const auto* limit = number(d, key)) d.node->rules.emplace_back(Bound{kind, limit->get<long double>(), shown(*limit)});
    const auto* divisor = number(d, "multipleOf");
    if (!divisor) return;
    if (divisor->get<double>() <= 0) return refuse(below(d.place, "multipleOf"), "is a number above 0");
    d.node->rules.emplace_back(MultipleOf{divisor->get<long double>(), shown(*divisor)});
  }

  void size(const Draft& d, Size::Of of, const char* least, const char* most) {
    Size size{.of = of};
    count(d, least, size.least);
    count(d, most, size.most);
    if (size.least > 0 || size.most < UINT64_MAX) d.node->rules.emplace_back(size);
  }
  void count(const Draft& d, const char* key, std::uint64_t& to) {
    const auto* value = number(d, key);
    if (!value) return;
    const auto count = value->get<double>();
    if (count < 0 || std::trunc(count) != count) return refuse(below(d.place, key), "is a whole number, 0 or more");
    to = count < 0x1p63 ? static_cast<std::uint64_t>(count) : UINT64_MAX;
  }

  void texts(const Draft& d) {
    if (const auto* text = member(d.schema, "pattern")) {
      const auto* place = below(d.place, "pattern");
      if (!text->is_string()) return refuse(place, "is a string");
      const auto& words = text->get_ref<const std::string&>();
      d.node->rules.emplace_back(Matches{pattern(words, place), std::string(clip_utf8(words, kLongestShown))});
    }
    if (const auto* name = member(d.schema, "format")) {
      if (!name->is_string()) return refuse(below(d.place, "format"), "is a string");
      if (const auto known = text_format(name->get_ref<const std::string&>())) d.node->rules.emplace_back(Formatted{*known});
    }
  }

  void arrays(const Draft& d) {
    Items items;
    if (const auto* item = member(d.schema, "items")) {
      if (item->is_array())
        items.first = nodes(d, "items");
      else
        items.rest = node(*item, below(d.place, "items"));
      const auto* more = member(d.schema, "additionalItems");
      if (more && item->is_array()) items.rest = node(*more, below(d.place, "additionalItems"));
      d.node->rules.emplace_back(std::move(items));
    }
    if (const auto* item = member(d.schema, "contains"))
      d.node->rules.emplace_back(Contains{node(*item, below(d.place, "contains"))});
    if (const auto* unique = member(d.schema, "uniqueItems")) {
      if (!unique->is_boolean()) return refuse(below(d.place, "uniqueItems"), "is true or false");
      if (unique->get<bool>()) d.node->rules.emplace_back(Unique{});
    }
  }
  std::vector<const Node*> nodes(const Draft& d, const char* key) {
    const auto& schemas = d.schema.at(key);
    const auto* place = below(d.place, key);
    std::vector<const Node*> all;
    if (!schemas.is_array()) return refuse(place, "is an array of schemas"), all;
    for (std::size_t i = 0; i < schemas.size() && wrong_.empty(); ++i)
      all.push_back(node(schemas[i], below(place, std::to_string(i))));
    return all;
  }

  void objects(const Draft& d) {
    if (const auto* names = member(d.schema, "required"))
      d.node->rules.emplace_back(required(*names, below(d.place, "required")));
    properties(d);
    if (const auto* name = member(d.schema, "propertyNames"))
      d.node->rules.emplace_back(PropertyNames{node(*name, below(d.place, "propertyNames"))});
    dependencies(d);
  }
  Required required(const json& names, const Place* place) {
    Required all;
    if (!names.is_array()) return refuse(place, "is an array of names"), all;
    for (const auto& name : names) {
      if (!name.is_string()) return refuse(place, "is an array of names; " + shown(name) + " is none"), all;
      all.names.push_back(name.get<std::string>());
    }
    return all;
  }
  const json* schemas(const Draft& d, const char* key) {
    const auto* of = member(d.schema, key);
    if (!of || of->is_object()) return of;
    return refuse(below(d.place, key), "is an object"), nullptr;
  }
  void properties(const Draft& d) {
    Properties properties;
    if (const auto* named = schemas(d, "properties")) {
      const auto* place = below(d.place, "properties");
      for (const auto& [name, schema] : named->items()) properties.named.emplace(name, node(schema, below(place, name)));
    }
    if (const auto* matching = schemas(d, "patternProperties")) {
      const auto* place = below(d.place, "patternProperties");
      for (const auto& [text, schema] : matching->items()) {
        const auto* at = below(place, text);
        properties.matching.emplace_back(pattern(text, at), node(schema, at));
      }
    }
    if (const auto* rest = member(d.schema, "additionalProperties"))
      properties.rest = node(*rest, below(d.place, "additionalProperties"));
    if (!properties.named.empty() || !properties.matching.empty() || properties.rest)
      d.node->rules.emplace_back(std::move(properties));
  }
  void dependencies(const Draft& d) {
    const auto* of = schemas(d, "dependencies");
    if (!of) return;
    Dependencies dependencies;
    const auto* place = below(d.place, "dependencies");
    for (const auto& [name, needed] : of->items()) {
      const auto* at = below(place, name);
      if (needed.is_array())
        dependencies.of.emplace(name, required(needed, at));
      else
        dependencies.of.emplace(name, node(needed, at));
    }
    d.node->rules.emplace_back(std::move(dependencies));
  }

  void combinations(const Draft& d) {
    static constexpr std::pair<const char*, Combined::How> kCombined[] = {
        {"allOf", Combined::How::all}, {"anyOf", Combined::How::any}, {"oneOf", Combined::How::one}};
    for (const auto& [key, how] : kCombined)
      if (member(d.schema, key)) d.node->rules.emplace_back(Combined{how, nodes(d, key)});
    if (const auto* excluded = member(d.schema, "not")) d.node->rules.emplace_back(Not{node(*excluded, below(d.place, "not"))});
    const auto* condition = member(d.schema, "if");
    if (!condition) return;
    Conditional conditional{.condition = node(*condition, below(d.place, "if"))};
    if (const auto* then = member(d.schema, "then")) conditional.then = node(*then, below(d.place, "then"));
    if (const auto* otherwise = member(d.schema, "else")) conditional.otherwise = node(*otherwise, below(d.place, "else"));
    d.node->rules.emplace_back(conditional);
  }

  const json& root_;
  Rules rules_;
  std::deque<Place> path_;
  std::deque<Draft> waiting_;
  std::unordered_map<const json*, Node*> nodes_;
  std::unordered_map<const Node*, const Place*> places_;
  std::map<std::string, const Pattern*> patterns_;
  std::size_t pattern_steps_ = 0;
  std::string wrong_;
};

}  // namespace

Result<Rules> compile_rules(const json& schema) { return Compiler(schema).all(); }

}  // namespace agentd::tool
