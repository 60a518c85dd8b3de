#include "core/tool/schema_reference.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/base/json_text.hpp"

namespace agentd::tool {
namespace {

using nlohmann::json;

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

std::string key_of(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool escaped = token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1');
    out += escaped ? (token[++i] == '0' ? '~' : '/') : token[i];
  }
  return out;
}

const json* child(const json& value, const std::string& key) {
  if (value.is_object()) {
    const auto found = value.find(key);
    return found == value.end() ? nullptr : &*found;
  }
  std::size_t index = 0;
  if (!value.is_array() || std::from_chars(key.data(), key.data() + key.size(), index).ptr != key.data() + key.size() ||
      key.empty())
    return nullptr;
  return index < value.size() ? &value[index] : nullptr;
}

}  // namespace

Result<const json*> referred(const json& document, std::string_view reference) {
  const auto quoted = json_string(clip_utf8(reference, 200));
  if (!reference.starts_with('#'))
    return fail(ErrorClass::schema, "the reference " + quoted + " leads outside the schema, which is not supported yet");
  const auto pointer = decoded(reference.substr(1));
  if (!pointer.empty() && pointer.front() != '/')
    return fail(ErrorClass::schema,
                "the reference " + quoted + " is no path from the root (\"#/definitions/name\"), which is not supported yet");
  const json* at = &document;
  for (std::size_t begin = 1; at && begin <= pointer.size();) {
    const auto end = std::min(pointer.find('/', begin), pointer.size());
    at = child(*at, key_of(std::string_view(pointer).substr(begin, end - begin)));
    begin = end + 1;
  }
  if (!at) return fail(ErrorClass::schema, "the reference " + quoted + " leads nowhere");
  return at;
}

std::string pointer_token(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

}  // namespace agentd::tool
