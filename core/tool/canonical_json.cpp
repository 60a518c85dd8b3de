#include "core/tool/canonical_json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"

namespace agentd::tool {
namespace {

using nlohmann::json;

bool append_text(std::string& out, const std::string& text, std::size_t longest) {
  if (text.size() + 2 > longest - out.size()) return false;
  append_json_string(out, text);
  return out.size() <= longest;
}

bool append_double(std::string& out, double number, std::size_t longest) {
  if (std::trunc(number) == number && number >= -0x1p63 && number < 0x1p64)
    out += number < 0 ? std::to_string(static_cast<std::int64_t>(number)) : std::to_string(static_cast<std::uint64_t>(number));
  else
    out += json(number).dump();
  return out.size() <= longest;
}

bool append_members(std::string& out, const json& value, std::size_t longest) {
  bool first = true;
  out += value.is_object() ? '{' : '[';
  for (auto member = value.begin(); member != value.end(); ++member) {
    if (!first) out += ',';
    first = false;
    if (out.size() >= longest) return false;
    if (value.is_object() && (!append_text(out, member.key(), longest) || (out += ':').size() >= longest)) return false;
    if (!append_canonical(out, *member, longest)) return false;
  }
  out += value.is_object() ? '}' : ']';
  return out.size() <= longest;
}

}  // namespace

bool append_canonical(std::string& out, const json& value, std::size_t longest) {
  if (out.size() >= longest) return false;
  if (value.is_structured()) return append_members(out, value, longest);
  if (value.is_string()) return append_text(out, value.get_ref<const std::string&>(), longest);
  if (value.is_number_float()) return append_double(out, value.get<double>(), longest);
  out += value.dump();
  return out.size() <= longest;
}

}  // namespace agentd::tool
