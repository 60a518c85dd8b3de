#include "core/base/json_text.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace agentd {
namespace {

// Length of the UTF-8 sequence at the front, 0 when it is none (RFC 3629).
std::size_t sequence(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto tail = [&](std::size_t i) { return i < s.size() && (at(i) & 0xc0) == 0x80; };
  const unsigned char c = at(0);
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c <= 0xdf) return tail(1) ? 2 : 0;
  if (c >= 0xe0 && c <= 0xef) {
    if (!tail(1) || !tail(2) || (c == 0xe0 && at(1) < 0xa0) || (c == 0xed && at(1) > 0x9f)) return 0;
    return 3;
  }
  if (c >= 0xf0 && c <= 0xf4) {
    if (!tail(1) || !tail(2) || !tail(3) || (c == 0xf0 && at(1) < 0x90) || (c == 0xf4 && at(1) > 0x8f)) return 0;
    return 4;
  }
  return 0;
}

// Bytes that a JSON string holds as they are, ASCII only.
constexpr auto kStandsForItself = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

// Refuses depth and duplicate keys while nlohmann's parser checks the rest.
class Strict : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Strict(int depth) : depth_(depth) {}
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return open(); }
  bool key(string_t& k) override { return keys_.back().insert(k).second; }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool open() {
    keys_.emplace_back();
    return static_cast<int>(keys_.size()) <= depth_;
  }
  bool close() {
    keys_.pop_back();
    return true;
  }
  int depth_;
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  if (out.capacity() - out.size() < text.size() + 2) out.reserve(std::max(out.size() + text.size() + 2, out.capacity() * 2));
  out += '"';
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && kStandsForItself[static_cast<unsigned char>(text[plain])]) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto c = static_cast<unsigned char>(text.front());
    std::size_t used = 1;
    if (c == '"' || c == '\\') (out += '\\') += static_cast<char>(c);
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (c == '\r') out += "\\r";
    else if (c < 0x20) ((out += "\\u00") += kHex[c >> 4]) += kHex[c & 15];
    else if (const auto n = sequence(text)) out.append(text.substr(0, used = n));
    else out += "\xef\xbf\xbd";
    text.remove_prefix(used);
  }
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

bool is_json(std::string_view text, int depth) {
  if (text == "null") return true;  // how most operations end: a parser would add a third to what they cost
  if (text.contains('\0')) return false;  // nlohmann takes it for the end and leaves the rest unread
  if (text.starts_with("\xef\xbb\xbf")) return false;  // and passes over a byte order mark, which is no JSON
  Strict strict(depth);
  return nlohmann::json::sax_parse(text.begin(), text.end(), &strict);
}

std::string_view clip_utf8(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  std::size_t n = max_bytes;
  while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xc0) == 0x80) --n;
  return text.substr(0, n);
}

std::string to_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (true) {
    std::size_t valid = 0;
    while (valid < bytes.size()) {
      const auto n = sequence(bytes.substr(valid));
      if (n == 0) break;
      valid += n;
    }
    out.append(bytes.substr(0, valid));
    bytes.remove_prefix(valid);
    if (bytes.empty()) return out;
    out += "\xef\xbf\xbd";
    bytes.remove_prefix(1);
  }
}

}  // namespace agentd
