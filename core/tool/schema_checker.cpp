#include "core/tool/schema_checker.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"
#include "core/tool/canonical_json.hpp"
#include "core/tool/schema_reference.hpp"

namespace agentd::tool {
namespace {

using nlohmann::json;

constexpr std::size_t kProblemsTold = 5;
constexpr std::size_t kLongestPlace = 200;
constexpr int kDeepest = 512;  // values within values times schemas within schemas; a level takes up to a kilobyte of stack
// What things cost, in steps.
constexpr std::uint64_t kOfVisit = 10, kOfLookUp = 20, kOfProblem = 200, kOfSortedItem = 100;

// Where a value stands in the document.
struct Path {
  const Path* above = nullptr;
  const std::string* key = nullptr;  // of an object; nothing: of an array
  std::size_t index = 0;
};

std::string pointer(const Path* path) {
  std::string text;
  for (; path->above; path = path->above)
    text.insert(0, '/' + (path->key ? pointer_token(clip_utf8(*path->key, kLongestPlace)) : std::to_string(path->index)));
  return text.empty() ? "the value" : std::string(clip_utf8(text, kLongestPlace));
}

const char* type_name(const json& value) { return value.is_number_integer() ? "integer" : value.type_name(); }

std::string names(unsigned allowed) {
  static constexpr const char* kNames[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
  std::string all;
  for (unsigned i = 0; i < std::size(kNames); ++i)
    if (allowed & (1U << i)) all += (all.empty() ? "" : " or ") + std::string(kNames[i]);
  return all;
}

unsigned types_of(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return Types::null;
    case json::value_t::boolean:
      return Types::boolean;
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
      return Types::integer | Types::number;
    case json::value_t::number_float:
      return std::trunc(value.get<double>()) == value.get<double>() ? Types::integer | Types::number : Types::number;
    case json::value_t::string:
      return Types::string;
    case json::value_t::array:
      return Types::array;
    case json::value_t::object:
      return Types::object;
    default:
      return 0;
  }
}

std::uint64_t characters(std::string_view utf8) {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_multiple(long double number, long double divisor) {
  if (std::fmod(number, divisor) == 0) return true;
  if (std::trunc(number) == number && std::trunc(divisor) == divisor) return false;
  // 19.99 is a multiple of 0.01 although a double holds neither exactly. Beyond 2^53 every quotient is whole and says nothing.
  const auto times = std::abs(number / divisor);
  return times < 0x1p53L &&
         std::abs(times - std::round(times)) <= 4 * std::numeric_limits<double>::epsilon() * std::max(1.0L, times);
}

class Checker {
 public:
  explicit Checker(std::uint64_t work) : work_(work) {}
  bool exhausted() const { return exhausted_; }

  struct At {
    const json& value;
    const Path& path;
    std::vector<std::string>* problems;  // nothing: nobody wants to know
  };

  bool check(const Node& node, const At& at) {
    if (!spend(kOfVisit + node.rules.size())) return false;
    if (depth_ == kDeepest) return exhaust();
    ++depth_;
    bool fits = true;
    for (const auto& rule : node.rules) {
      fits = std::visit([this, &at](const auto& r) { return holds(r, at); }, rule) && fits;
      if (exhausted_ || (!fits && enough(at))) break;
    }
    --depth_;
    return fits && !exhausted_;
  }

 private:
  bool exhaust() {
    exhausted_ = true;
    return false;
  }
  bool spend(std::uint64_t steps) {
    if (exhausted_ || steps > work_) return exhaust();
    work_ -= steps;
    return true;
  }
  static bool enough(const At& at) { return !at.problems || at.problems->size() >= kProblemsTold; }
  bool wrong(const At& at, const std::string& words) {
    if (!enough(at) && spend(kOfProblem)) at.problems->push_back(pointer(&at.path) + ": " + words);
    return false;
  }
  bool wrong_unless(bool holds, const At& at, const auto& words) { return holds || (enough(at) ? false : wrong(at, words())); }

  bool holds(const Never&, const At& at) { return wrong(at, "nothing is allowed here"); }

  bool holds(const Types& rule, const At& at) {
    return wrong_unless(types_of(at.value) & rule.allowed, at,
                        [&] { return "expected " + names(rule.allowed) + ", got " + type_name(at.value); });
  }

  bool holds(const Choices& rule, const At& at) {
    if (!spend(rule.longest)) return false;
    std::string text;
    const bool listed = append_canonical(text, at.value, rule.longest) && rule.canonical.contains(text);
    return wrong_unless(listed, at, [&] { return (rule.canonical.size() == 1 ? "must be " : "must be one of ") + rule.shown; });
  }

  bool holds(const Bound& rule, const At& at) {
    if (!at.value.is_number()) return true;
    const auto number = at.value.get<long double>();
    switch (rule.kind) {
      case Bound::Kind::minimum:
        return wrong_unless(number >= rule.limit, at, [&] { return "must be " + rule.shown + " or more"; });
      case Bound::Kind::above:
        return wrong_unless(number > rule.limit, at, [&] { return "must be more than " + rule.shown; });
      case Bound::Kind::maximum:
        return wrong_unless(number <= rule.limit, at, [&] { return "must be " + rule.shown + " or less"; });
      case Bound::Kind::below:
        return wrong_unless(number < rule.limit, at, [&] { return "must be less than " + rule.shown; });
    }
    return false;
  }

  bool holds(const MultipleOf& rule, const At& at) {
    const bool fits = !at.value.is_number() || is_multiple(at.value.get<long double>(), rule.divisor);
    return wrong_unless(fits, at, [&] { return "must be a multiple of " + rule.shown; });
  }

  bool holds(const Size& rule, const At& at) {
    switch (rule.of) {
      case Size::Of::text:
        return !at.value.is_string() || text_size(rule, at);
      case Size::Of::array:
        return !at.value.is_array() || size(rule, at.value.size(), " items", at);
      case Size::Of::object:
        return !at.value.is_object() || size(rule, at.value.size(), " properties", at);
    }
    return false;
  }
  bool text_size(const Size& rule, const At& at) {
    const auto& text = at.value.get_ref<const std::string&>();
    return spend(text.size() / 8) && size(rule, characters(text), " characters", at);
  }
  bool size(const Size& rule, std::uint64_t size, const char* what, const At& at) {
    if (size < rule.least)
      return wrong_unless(false, at, [&] {
        return "has " + std::to_string(size) + what + ", at least " + std::to_string(rule.least) + " are wanted";
      });
    return wrong_unless(size <= rule.most, at, [&] {
      return "has " + std::to_string(size) + what + ", at most " + std::to_string(rule.most) + " are allowed";
    });
  }

  bool found(const Pattern& pattern, std::string_view text) {
    return spend(kOfLookUp + text.size() * pattern.size()) && pattern.found_in(text);
  }

  bool holds(const Matches& rule, const At& at) {
    const bool fits = !at.value.is_string() || found(*rule.pattern, at.value.get_ref<const std::string&>());
    return wrong_unless(fits, at, [&] { return "does not match the pattern " + rule.shown; });
  }

  bool holds(const Formatted& rule, const At& at) {
    const bool fits = !at.value.is_string() || has_format(at.value.get_ref<const std::string&>(), rule.format);
    return wrong_unless(fits, at, [&] { return std::string("is no ") + name(rule.format) + " of RFC 3339"; });
  }

  bool holds(const Items& rule, const At& at) {
    if (!at.value.is_array()) return true;
    bool fits = true;
    const auto count = rule.rest ? at.value.size() : std::min(rule.first.size(), at.value.size());
    for (std::size_t i = 0; i < count && (fits || !enough(at)) && !exhausted_; ++i) {
      const Path path{&at.path, nullptr, i};
      fits = check(i < rule.first.size() ? *rule.first[i] : *rule.rest, {at.value[i], path, at.problems}) && fits;
    }
    return fits;
  }

  bool holds(const Contains& rule, const At& at) {
    if (!at.value.is_array()) return true;
    for (const auto& item : at.value) {
      if (check(*rule.item, {item, at.path, nullptr})) return true;
      if (exhausted_) return false;
    }
    return wrong(at, "has no item of the kind that it must contain");
  }

  bool holds(const Unique&, const At& at) {
    if (!at.value.is_array()) return true;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < at.value.size(); ++i) {
      std::string text;
      // Looking a text up takes some twenty comparisons.
      if (!append_canonical(text, at.value[i], work_ / 4) || !spend(kOfSortedItem + 4 * text.size())) return exhaust();
      if (!seen.insert(std::move(text)).second) return wrong(at, "has item " + std::to_string(i) + " twice");
    }
    return true;
  }

  bool holds(const Required& rule, const At& at) { return !at.value.is_object() || has_all(rule, at, ""); }
  bool has_all(const Required& rule, const At& at, const std::string& because) {
    bool fits = true;
    for (const auto& name : rule.names) {
      if (!spend(kOfLookUp)) return false;
      if (at.value.contains(name)) continue;
      fits = wrong_unless(false, at, [&] { return json_string(clip_utf8(name, kLongestPlace)) + " is missing" + because; });
      if (exhausted_ || enough(at)) break;
    }
    return fits;
  }

  bool holds(const Properties& rule, const At& at) {
    if (!at.value.is_object()) return true;
    bool fits = true;
    for (const auto& [name, value] : at.value.get_ref<const json::object_t&>()) {
      const Path path{&at.path, &name, 0};
      fits = property(rule, name, {value, path, at.problems}) && fits;
      if (exhausted_ || (!fits && enough(at))) break;
    }
    return fits;
  }
  bool property(const Properties& rule, const std::string& name, const At& at) {
    if (!spend(kOfLookUp)) return false;
    const auto named = rule.named.find(name);
    bool known = named != rule.named.end(), fits = !known || check(*named->second, at);
    for (const auto& [pattern, node] : rule.matching) {
      if (!found(*pattern, name)) continue;
      known = true;
      fits = check(*node, at) && fits;
    }
    if (exhausted_) return false;
    if (known || !rule.rest) return fits;
    const bool never = rule.rest->rules.size() == 1 && std::holds_alternative<Never>(rule.rest->rules.front());
    return never ? wrong_unless(false, at, [&] { return unknown(rule); }) : check(*rule.rest, at);
  }
  static std::string unknown(const Properties& rule) {
    std::string known;
    for (const auto& [name, node] : rule.named) {
      if (known.size() > kLongestPlace) return "is not known here; there are " + known + " and others";
      known += (known.empty() ? "" : ", ") + std::string(clip_utf8(name, kLongestPlace));
    }
    return known.empty() ? "is not known here" : "is not known here; there are " + known;
  }

  bool holds(const PropertyNames& rule, const At& at) {
    if (!at.value.is_object()) return true;
    bool fits = true;
    for (const auto& [name, value] : at.value.get_ref<const json::object_t&>()) {
      if (!spend(name.size())) return false;  // a value is made of it
      const Path path{&at.path, &name, 0};
      const json text = name;
      fits = check(*rule.name, {text, path, at.problems}) && fits;
      if (exhausted_ || (!fits && enough(at))) break;
    }
    return fits;
  }

  bool holds(const Dependencies& rule, const At& at) {
    if (!at.value.is_object()) return true;
    bool fits = true;
    for (const auto& [name, needed] : rule.of) {
      if (!spend(kOfLookUp)) return false;
      if (!at.value.contains(name)) continue;
      if (const auto* names = std::get_if<Required>(&needed))
        fits = has_all(*names, at, ", which goes with " + json_string(clip_utf8(name, kLongestPlace))) && fits;
      else
        fits = check(*std::get<const Node*>(needed), at) && fits;
      if (exhausted_ || (!fits && enough(at))) break;
    }
    return fits;
  }

  bool holds(const Combined& rule, const At& at) {
    switch (rule.how) {
      case Combined::How::all:
        return all_of(rule, at);
      case Combined::How::any:
        return any_of(rule, at);
      case Combined::How::one:
        return one_of(rule, at);
    }
    return false;
  }
  bool all_of(const Combined& rule, const At& at) {
    bool fits = true;
    for (const auto* part : rule.parts) {
      fits = check(*part, at) && fits;
      if (exhausted_ || (!fits && enough(at))) break;
    }
    return fits;
  }
  // What is wrong with each alternative is told only when none fits.
  bool any_of(const Combined& rule, const At& at) {
    std::vector<std::string> inner;
    for (const auto* part : rule.parts) {
      if (check(*part, {at.value, at.path, enough(at) ? nullptr : &inner})) return true;
      if (exhausted_) return false;
    }
    return none_fits(rule, at, inner);
  }
  bool one_of(const Combined& rule, const At& at) {
    std::vector<std::string> inner;
    std::size_t fitting = 0;
    for (const auto* part : rule.parts) {
      fitting += check(*part, {at.value, at.path, enough(at) ? nullptr : &inner}) ? 1 : 0;
      if (exhausted_) return false;
      if (fitting > 1)
        return wrong(at, "fits more than one of the " + std::to_string(rule.parts.size()) +
                             " alternatives, of which it must fit exactly one");
    }
    return fitting == 1 || none_fits(rule, at, inner);
  }
  bool none_fits(const Combined& rule, const At& at, std::vector<std::string>& inner) {
    wrong_unless(false, at, [&] { return "fits none of the " + std::to_string(rule.parts.size()) + " alternatives"; });
    for (auto& problem : inner)
      if (!enough(at)) at.problems->push_back(std::move(problem));
    return false;
  }

  bool holds(const Not& rule, const At& at) {
    if (!check(*rule.excluded, {at.value, at.path, nullptr})) return !exhausted_;
    return wrong(at, "fits what it must not fit");
  }

  bool holds(const Conditional& rule, const At& at) {
    const bool condition = check(*rule.condition, {at.value, at.path, nullptr});
    if (exhausted_) return false;
    const auto* follows = condition ? rule.then : rule.otherwise;
    return !follows || check(*follows, at);
  }

  std::uint64_t work_;
  int depth_ = 0;
  bool exhausted_ = false;
};

}  // namespace

Findings check_rules(const Rules& rules, const json& value, std::uint64_t work) {
  Findings findings;
  Checker checker(work);
  const Path root;
  findings.fits = checker.check(*rules.root, {value, root, &findings.problems});
  findings.exhausted = checker.exhausted();
  return findings;
}

}  // namespace agentd::tool
