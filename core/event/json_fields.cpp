#include "core/event/json_fields.hpp"

#include <charconv>

#include "core/base/json_text.hpp"

namespace agentd::event {
namespace {

constexpr std::size_t kUsualObject = 240;  // bytes

void skip_space(std::string_view& s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\n' || s.front() == '\r' || s.front() == '\t')) s.remove_prefix(1);
}

// Length of the string at the front with its quotes; 0 when it does not end.
std::size_t string_length(std::string_view s) {
  const auto quote = s.find('"', 1);
  if (quote == s.npos) return 0;
  const auto escape = s.substr(0, quote).find('\\');
  if (escape == s.npos) return quote + 1;  // nearly always
  for (auto i = escape; i < s.size(); ++i) {
    if (s[i] == '\\') ++i;
    else if (s[i] == '"') return i + 1;
  }
  return 0;
}

// Length of the value at the front; 0 when it does not end.
std::size_t value_length(std::string_view s) {
  if (s.empty()) return 0;
  if (s.front() == '"') return string_length(s);
  if (s.front() != '{' && s.front() != '[') {
    const auto end = s.find_first_of(",]} \n\r\t");
    return end == s.npos ? s.size() : end;
  }
  std::size_t depth = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    if (c == '"') {
      const auto n = string_length(s.substr(i));
      if (n == 0) return 0;
      i += n - 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

std::optional<std::string_view> take_value(std::string_view& s) {
  skip_space(s);
  const auto n = value_length(s);
  if (n == 0) return std::nullopt;
  const auto value = s.substr(0, n);
  s.remove_prefix(n);
  skip_space(s);
  return value;
}

bool take(std::string_view& s, char c) {
  skip_space(s);
  if (s.empty() || s.front() != c) return false;
  s.remove_prefix(1);
  skip_space(s);
  return true;
}

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    (out += static_cast<char>(0xc0 | c >> 6)) += static_cast<char>(0x80 | (c & 63));
  } else if (c < 0x10000) {
    ((out += static_cast<char>(0xe0 | c >> 12)) += static_cast<char>(0x80 | (c >> 6 & 63))) += static_cast<char>(0x80 | (c & 63));
  } else {
    ((out += static_cast<char>(0xf0 | c >> 18)) += static_cast<char>(0x80 | (c >> 12 & 63))) += static_cast<char>(0x80 | (c >> 6 & 63));
    out += static_cast<char>(0x80 | (c & 63));
  }
}

bool take_hex4(std::string_view& s, std::uint32_t& value) {
  if (s.size() < 4) return false;
  const auto [end, error] = std::from_chars(s.data(), s.data() + 4, value, 16);
  if (error != std::errc() || end != s.data() + 4) return false;
  s.remove_prefix(4);
  return true;
}

// A \u escape behind its backslash and u; a lone surrogate becomes U+FFFD.
bool take_unicode(std::string_view& s, std::string& out) {
  std::uint32_t c = 0, low = 0;
  if (!take_hex4(s, c)) return false;
  if (c >= 0xd800 && c < 0xdc00 && s.starts_with("\\u")) {
    auto rest = s.substr(2);
    if (take_hex4(rest, low) && low >= 0xdc00 && low < 0xe000) {
      s = rest;
      append_utf8(out, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
      return true;
    }
  }
  append_utf8(out, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
  return true;
}

}  // namespace

void ObjectWriter::key(std::string_view key) {
  if (out_.size() > 1) out_ += ',';
  else out_.reserve(kUsualObject);  // one growth instead of four
  ((out_ += '"') += key) += "\":";
}

ObjectWriter& ObjectWriter::raw(std::string_view name, std::string_view json) {
  key(name);
  out_ += json;
  return *this;
}

ObjectWriter& ObjectWriter::text(std::string_view name, std::string_view value) {
  key(name);
  append_json_string(out_, value);
  return *this;
}

ObjectWriter& ObjectWriter::number(std::string_view name, std::int64_t value) {
  key(name);
  char digits[24];
  out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  return *this;
}

ObjectWriter& ObjectWriter::flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }

std::string ObjectWriter::finish() {
  out_ += '}';
  return std::move(out_);
}

std::optional<ObjectReader> ObjectReader::open(std::string_view s) {
  ObjectReader reader;
  if (!take(s, '{')) return std::nullopt;
  reader.members_.reserve(16);
  if (take(s, '}')) return s.empty() ? std::optional(std::move(reader)) : std::nullopt;
  do {
    skip_space(s);
    if (s.empty() || s.front() != '"') return std::nullopt;
    const auto key = take_value(s);
    if (!key || !take(s, ':')) return std::nullopt;
    const auto value = take_value(s);
    if (!value) return std::nullopt;
    reader.members_.emplace_back(key->substr(1, key->size() - 2), *value == "null" ? std::string_view() : *value);
  } while (take(s, ','));
  if (!take(s, '}') || !s.empty()) return std::nullopt;
  return reader;
}

std::string_view ObjectReader::raw(std::string_view key) const {
  for (const auto& [name, value] : members_)
    if (name == key) return value;
  return {};
}

std::string ObjectReader::text(std::string_view key) const { return string_value(raw(key)).value_or(std::string()); }

std::int64_t ObjectReader::number(std::string_view key, std::int64_t fallback) const {
  const auto value = raw(key);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  return error == std::errc() && end == value.data() + value.size() && !value.empty() ? number : fallback;
}

std::optional<std::vector<std::string_view>> array_elements(std::string_view s) {
  std::vector<std::string_view> elements;
  if (!take(s, '[')) return std::nullopt;
  if (take(s, ']')) return s.empty() ? std::optional(elements) : std::nullopt;
  do {
    const auto value = take_value(s);
    if (!value) return std::nullopt;
    elements.push_back(*value);
  } while (take(s, ','));
  if (!take(s, ']') || !s.empty()) return std::nullopt;
  return elements;
}

std::optional<std::string> string_value(std::string_view json) {
  if (json.size() < 2 || json.front() != '"' || string_length(json) != json.size()) return std::nullopt;
  json.remove_prefix(1);
  json.remove_suffix(1);
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const auto plain = std::min(json.find('\\'), json.size());
    out.append(json.substr(0, plain));
    json.remove_prefix(plain);
    if (json.empty()) break;
    if (json.size() < 2) return std::nullopt;
    const char c = json[1];
    json.remove_prefix(2);
    static constexpr std::string_view kNames = "bfnrt\"\\/", kValues = "\b\f\n\r\t\"\\/";
    if (c == 'u') {
      if (!take_unicode(json, out)) return std::nullopt;
    } else if (const auto at = kNames.find(c); at != kNames.npos) {
      out += kValues[at];
    } else {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace agentd::event
