#include "host/api/said.hpp"

#include <algorithm>

#include "core/base/name_text.hpp"
#include "core/tool/strict_json.hpp"
#include "host/api/json.hpp"
#include "host/api/problem.hpp"

namespace agentd::api {

std::string signed_by(const Request& request, std::string by) {
  if (request.caller.empty()) return by;
  return by.empty() ? request.caller : by + " (" + request.caller + ')';
}

namespace {

Said signed_words(const Request& request, Said said) {
  if (const auto by = said.find(kBy.member); by != said.end()) by->second = signed_by(request, std::move(by->second));
  return said;
}

}  // namespace

std::variant<Said, Document> read_said(const Request& request, std::span<const Sayable> members) {
  Said said;
  std::string known;
  for (const auto& each : members) {
    said[each.member];
    known += (known.empty() ? "" : ", ") + std::string(each.member);
  }
  if (request.body.empty()) return signed_words(request, std::move(said));
  const auto body = tool::parse_strict(request.body);
  if (!body || !body->is_object())
    return problem(400, "the body cannot be read as a JSON object",
                   {{"", body ? std::string("write an object: {\"reason\": \"...\"}") : "is " + body.error().message}});
  std::vector<InputError> errors;
  for (const auto& [name, value] : body->items()) {
    const auto sayable = std::ranges::find_if(members, [&](const Sayable& each) { return name == each.member; });
    if (sayable == members.end()) {
      errors.push_back({pointer_to(name), known.empty() ? "is not known here; nothing is" : "is not known here; known is " + known});
    } else if (!value.is_string() && !value.is_null()) {
      errors.push_back({pointer_to(name), "is a string"});
    } else if (value.is_string()) {
      auto& text = said[name] = value.get<std::string>();
      if (text.size() > sayable->longest) errors.push_back({pointer_to(name), "is longer than " + std::to_string(sayable->longest) + " bytes"});
      const auto unfit = sayable->is_name ? unfit_for_a_name(text) : std::string_view();
      if (!unfit.empty()) errors.push_back({pointer_to(name), std::string(unfit)});
    }
  }
  if (!errors.empty()) return problem(422, "the request cannot be understood", errors);
  return signed_words(request, std::move(said));
}

std::optional<Document> read_nothing(const Request& request) {
  auto read = read_said(request, {});
  if (auto* wrong = std::get_if<Document>(&read)) return std::move(*wrong);
  return std::nullopt;
}

}  // namespace agentd::api
