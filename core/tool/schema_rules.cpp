#include "core/tool/schema_rules.hpp"

#include <cmath>
#include <ranges>
#include <set>
#include <valijson/validation_visitor.hpp>

#include "core/base/json_text.hpp"
#include "core/tool/canonical_json.hpp"

namespace agentd::tool {
namespace {

using nlohmann::json;

constexpr std::size_t kMostTold = 100;
// What things cost, in steps.
constexpr std::uint64_t kOfVisit = 50, kOfPlace = 30, kOfLookUp = 20, kOfSortedItem = 100, kOfTelling = 10;

// What is wrong with an alternative is copied at each level that it passes on its way up.
void spend(const At& at, std::uint64_t steps) {
  const bool is_alternative = at.results && at.results != at.meter.told;
  if (at.results && !is_alternative && at.results->numErrors() > kMostTold) throw Meter::Empty{};
  at.meter.spend(is_alternative ? steps * (kOfTelling + at.meter.stack_used() / 512) : steps);
}

bool wrong(const At& at, const auto& words) {
  if (!at.results) return false;
  spend(at, kOfVisit);
  at.results->pushError(at.context, words());
  return false;
}
bool wrong_unless(bool holds, const At& at, const auto& words) { return holds || wrong(at, words); }

Names below(const At& at, const std::string& name) {
  auto context = at.context;
  if (at.results) context.push_back('/' + pointer_token(name));
  return context;
}

bool fits_member(const Subschema& schema, const json& value, const std::string& name, const At& at) {
  const auto context = below(at, name);
  return fits(schema, {value, context, at.meter, at.results});
}

std::string listed(const auto& names, std::string_view between) {
  std::string all;
  for (const auto& name : names) {
    if (all.size() > kLongestShown) return all + " and others";
    all += (all.empty() ? "" : std::string(between)) + std::string(clip_utf8(name, kLongestShown));
  }
  return all;
}

bool is_multiple(long double number, long double divisor) {
  if (std::fmod(number, divisor) == 0) return true;
  if (std::trunc(number) == number && std::trunc(divisor) == divisor) return false;
  // 19.99 is a multiple of 0.01 although a double holds neither exactly. Beyond 2^53 every quotient is whole and says nothing.
  const auto times = std::abs(number / divisor);
  return times < 0x1p53L &&
         std::abs(times - std::round(times)) <= 4 * std::numeric_limits<double>::epsilon() * std::max(1.0L, times);
}

bool found(const Pattern& pattern, const std::string& text, Meter& meter) {
  meter.spend(kOfLookUp + text.size() * pattern.size());
  return pattern.found_in(text);
}

bool fits_property(const Properties& rule, const std::string& name, const json& value, const At& at) {
  at.meter.spend(kOfLookUp + name.size() / 16);
  const auto named = rule.named.find(name);
  bool known = named != rule.named.end(), fits = !known || fits_member(*named->second, value, name, at);
  for (const auto& [pattern, schema] : rule.matching) {
    if (!found(*pattern, name, at.meter)) continue;
    known = true;
    fits = fits_member(*schema, value, name, at) && fits;
  }
  if (known || !rule.rest) return fits;
  if (!rule.closed) return fits_member(*rule.rest, value, name, at);
  const auto context = below(at, name);
  const auto there_are = rule.named.empty() ? "" : "; there are " + listed(std::views::keys(rule.named), ", ");
  return wrong({value, context, at.meter, at.results}, [&] { return "is not known here" + there_are; });
}

// Until one member does not fit, if nobody wants to know which others do not.
bool each_member(const At& at, const auto& fits) {
  if (!at.value.is_object()) return true;
  bool all = true;
  for (const auto& [name, value] : at.value.get_ref<const json::object_t&>()) {
    all = fits(name, value) && all;
    if (!all && !at.results) break;
  }
  return all;
}

}  // namespace

bool fits(const Subschema& schema, const At& at) {
  std::unordered_map<std::string, std::regex> none;  // patterns are ours
  return valijson::ValidationVisitor<SchemaValue>({at.value, at.meter}, at.context, true, at.results, none)
      .validateSchema(schema);
}

std::string pointer_token(std::string_view key) {
  json::json_pointer pointer;
  pointer.push_back(std::string(clip_utf8(key, kLongestShown)));
  return pointer.to_string().substr(1);
}

Rule visit(std::size_t rules) {
  return [rules](const At& at) {
    const auto size = at.value.is_string() ? at.value.get_ref<const std::string&>().size() / 8 : 0;
    spend(at, kOfVisit + rules + size + kOfPlace * at.context.size());
    return true;
  };
}

Rule never() {
  return [](const At& at) { return wrong(at, [] { return "nothing is allowed here"; }); };
}

Rule types(Names allowed) {
  return [allowed = std::move(allowed)](const At& at) {
    const auto& value = at.value;
    const bool whole = value.is_number() && std::trunc(value.get<double>()) == value.get<double>();
    const std::string_view type = whole ? "integer" : value.type_name();
    const bool fits = std::ranges::any_of(
        allowed, [&](const std::string& name) { return name == type || (name == "number" && value.is_number()); });
    return wrong_unless(fits, at, [&] { return "expected " + listed(allowed, " or ") + ", got " + std::string(type); });
  };
}

Rule choices(const json& values) {
  std::set<std::string, std::less<>> canonical;
  Names shown;
  std::size_t longest = 0;
  for (const auto& value : values) {
    std::string text;
    append_canonical(text, value, SIZE_MAX);
    longest = std::max(longest, text.size());
    canonical.insert(std::move(text));
    shown.emplace_back(clip_utf8(value.dump(), kLongestShown));
  }
  const auto otherwise = (shown.size() == 1 ? "must be " : "must be one of ") + listed(shown, ", ");
  return [canonical = std::move(canonical), longest, otherwise](const At& at) {
    at.meter.spend(longest);
    std::string text;
    const bool is_listed = append_canonical(text, at.value, longest) && canonical.contains(text);
    return wrong_unless(is_listed, at, [&] { return otherwise; });
  };
}

Rule bound(std::string_view keyword, const json& limit) {
  using Number = long double;  // holds each integer of 64 bits exactly
  struct Bound {
    std::string_view keyword;
    bool (*holds)(Number number, Number limit);
    const char *before, *after;
  };
  static constexpr Bound kBounds[] = {
      {"minimum", [](Number number, Number limit) { return number >= limit; }, "must be ", " or more"},
      {"exclusiveMinimum", [](Number number, Number limit) { return number > limit; }, "must be more than ", ""},
      {"maximum", [](Number number, Number limit) { return number <= limit; }, "must be ", " or less"},
      {"exclusiveMaximum", [](Number number, Number limit) { return number < limit; }, "must be less than ", ""},
      {"multipleOf", &is_multiple, "must be a multiple of ", ""}};
  const auto& known = *std::ranges::find(kBounds, keyword, &Bound::keyword);
  return [holds = known.holds, limit = limit.get<Number>(), otherwise = known.before + limit.dump() + known.after](const At& at) {
    return wrong_unless(!at.value.is_number() || holds(at.value.get<Number>(), limit), at, [&] { return otherwise; });
  };
}

Rule matches(const Pattern* pattern, std::string otherwise) {
  return [pattern, otherwise = std::move(otherwise)](const At& at) {
    const bool fits = !at.value.is_string() || found(*pattern, at.value.get_ref<const std::string&>(), at.meter);
    return wrong_unless(fits, at, [&] { return otherwise; });
  };
}

Rule unique() {
  return [](const At& at) {
    if (!at.value.is_array()) return true;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < at.value.size(); ++i) {
      std::string text;
      if (!append_canonical(text, at.value[i], at.meter.left() / 4)) throw Meter::Empty{};
      at.meter.spend(kOfSortedItem + 4 * text.size());  // looking a text up takes some twenty comparisons
      if (!seen.insert(std::move(text)).second) return wrong(at, [i] { return "has item " + std::to_string(i) + " twice"; });
    }
    return true;
  };
}

Rule required(Names names) {
  return [names = std::move(names)](const At& at) {
    if (!at.value.is_object()) return true;
    bool fits = true;
    for (const auto& name : names) {
      at.meter.spend(kOfLookUp + name.size() / 16);
      if (at.value.contains(name)) continue;
      fits = wrong(at, [&] { return json_string(clip_utf8(name, kLongestShown)) + " is missing"; });
      if (!at.results) break;
    }
    return fits;
  };
}

Rule properties(Properties properties) {
  return [rule = std::move(properties)](const At& at) {
    return each_member(at, [&](const auto& name, const json& value) { return fits_property(rule, name, value, at); });
  };
}

Rule property_names(const Subschema* schema) {
  return [schema](const At& at) {
    return each_member(at, [&](const auto& name, const json&) {
      at.meter.spend(name.size());  // a value is made of it
      return fits_member(*schema, name, name, at);
    });
  };
}

}  // namespace agentd::tool
