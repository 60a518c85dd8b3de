#include "core/tool/ecma_pattern.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "core/base/json_text.hpp"

namespace agentd::tool {
namespace {

// ECMA's white space and line terminators, and all the rest; RE2's \s knows only ASCII.
constexpr std::string_view kSpace =
    R"(\x09-\x0d\x20\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff})";
constexpr std::string_view kNoSpace =
    R"(\x00-\x08\x0e-\x1f\x21-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff})";

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_class_escape(std::string_view text) {
  return text.size() > 1 && text[0] == '\\' && std::string_view("dDwWsSpP").contains(text[1]);
}

class Translation {
 public:
  explicit Translation(std::string_view pattern) : rest_(pattern) {}

  Result<std::string> all() {
    while (!rest_.empty() && wrong_.empty()) outside_of_classes();
    if (!wrong_.empty()) return fail(ErrorClass::schema, wrong_);
    return std::move(out_);
  }

 private:
  void refuse(std::string words) {
    if (wrong_.empty()) wrong_ = std::move(words);
  }
  bool take(std::string_view prefix) {
    if (!rest_.starts_with(prefix)) return false;
    rest_.remove_prefix(prefix.size());
    return true;
  }
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void put_code(std::uint32_t code) {
    char digits[8];
    const auto end = std::to_chars(digits, digits + sizeof digits, code, 16).ptr;
    ((out_ += "\\x{").append(digits, end)) += '}';
  }
  void put_literal(char c) {
    if (is_letter(c) || is_digit(c) || (static_cast<unsigned char>(c) & 0x80))
      out_ += c;
    else
      put_code(static_cast<unsigned char>(c));
  }

  void outside_of_classes() {
    const char c = take();
    if (c == '\\')
      escape(false);
    else if (c == '[')
      char_class();
    else if (c == '(')
      group();
    else if (c == '.')
      out_ += R"([^\n\r\x{2028}\x{2029}])";
    else
      out_ += c;
  }

  void group() {
    if (!take("?")) {
      out_ += '(';
    } else if (take(":")) {
      out_ += "(?:";
    } else if (take("=") || take("!")) {
      refuse("lookahead (?= or (?! is not supported: patterns are matched in linear time");
    } else if (take("<=") || take("<!")) {
      refuse("lookbehind (?<= or (?<! is not supported: patterns are matched in linear time");
    } else if (take("<")) {
      const auto end = rest_.find('>');
      if (end == rest_.npos) return refuse("the name of a group is not closed by \">\"");
      rest_.remove_prefix(end + 1);
      out_ += "(?:";
    } else {
      refuse("a group begins with (, (?: or (?<name>");
    }
  }

  void char_class() {
    const bool negated = take("^");
    if (take("]")) {  // [] fits nothing and [^] everything; to RE2 the bracket would be a literal
      out_ += negated ? R"([\x00-\x{10ffff}])" : R"([^\x00-\x{10ffff}])";
      return;
    }
    out_ += negated ? "[^" : "[";
    bool after_set = false;  // a "-" beside \d and its like is no range
    while (wrong_.empty()) {
      if (rest_.empty()) return refuse("a class [ is not closed by ]");
      if (take("]")) break;
      const bool set = is_class_escape(rest_);
      const char c = take();
      if (c == '\\')
        escape(true);
      else if (c == '-' && !after_set && !is_class_escape(rest_))
        out_ += '-';
      else
        put_literal(c);
      after_set = set;
    }
    out_ += ']';
  }

  void escape(bool in_class) {
    if (rest_.empty()) return refuse("it ends with a backslash");
    const char c = take();
    switch (c) {
      case 'd':
      case 'D':
      case 'w':
      case 'W':
        (out_ += '\\') += c;
        return;
      case 's':
      case 'S':
        return white_space(c == 's', in_class);
      case 'b':
        if (in_class) return put_code(8);
        out_ += "\\b";
        return;
      case 'B':
        if (in_class) break;
        out_ += "\\B";
        return;
      case 't':
        return put_code('\t');
      case 'n':
        return put_code('\n');
      case 'v':
        return put_code('\v');
      case 'f':
        return put_code('\f');
      case 'r':
        return put_code('\r');
      case 'c':
        return control();
      case 'x':
        return put_hex(2);
      case 'u':
        return unicode();
      case 'p':
      case 'P':
        return property(c);
      case 'k':
        return refuse("the backreference \\k is not supported: patterns are matched in linear time");
      default:
        break;
    }
    if (c == '0' && (rest_.empty() || !is_digit(rest_.front()))) return put_code(0);
    if (is_digit(c))
      return refuse(std::string("the backreference \\") + c + " is not supported: patterns are matched in linear time");
    if (is_letter(c)) return refuse(std::string("\\") + c + " has no meaning " + (in_class ? "in a class" : "here"));
    put_literal(c);
  }

  void white_space(bool is_space, bool in_class) {
    if (in_class)
      out_ += is_space ? kSpace : kNoSpace;
    else
      ((out_ += is_space ? "[" : "[^") += kSpace) += ']';
  }

  void control() {
    if (rest_.empty() || !is_letter(rest_.front())) return refuse("\\c is followed by a letter");
    put_code(static_cast<unsigned char>(take()) % 32);
  }

  std::optional<std::uint32_t> hex(std::size_t digits) {
    std::uint32_t code = 0;
    const auto end = rest_.data() + std::min(digits, rest_.size());
    if (rest_.size() < digits || digits == 0 || std::from_chars(rest_.data(), end, code, 16).ptr != end) return std::nullopt;
    rest_.remove_prefix(digits);
    return code;
  }
  void put_hex(std::size_t digits) {
    if (const auto code = hex(digits))
      put_code(*code);
    else
      refuse("\\x is followed by two hexadecimal digits");
  }

  // \uHHHH, a pair of surrogates or \u{H...}.
  void unicode() {
    std::optional<std::uint32_t> code;
    if (take("{")) {
      const auto end = rest_.find('}');
      code = end == rest_.npos || end > 6 ? std::nullopt : hex(end);
      if (!take("}")) code.reset();
    } else {
      code = hex(4);
      if (code && *code >= 0xd800 && *code < 0xdc00 && take("\\u")) {
        const auto low = hex(4);
        if (!low || *low < 0xdc00 || *low > 0xdfff) return refuse("\\u has half a pair of surrogates");
        code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
      }
    }
    if (!code || *code > 0x10ffff) return refuse("\\u is followed by four hexadecimal digits, or by a code point in braces");
    if (*code >= 0xd800 && *code < 0xe000) return refuse("\\u has half a pair of surrogates");
    put_code(*code);
  }

  void property(char c) {
    const auto end = rest_.find('}');
    if (!rest_.starts_with('{') || end == rest_.npos)
      return refuse(std::string("\\") + c + " is followed by the name of a property in braces");
    const auto name = rest_.substr(1, end - 1);
    for (const char letter : name)
      if (!is_letter(letter) && letter != '_')
        return refuse("the property \"" + std::string(clip_utf8(name, 64)) +
                      "\" is not supported; a general category such as \\p{L} or a script such as \\p{Greek} is");
    ((out_ += '\\') += c) += rest_.substr(0, end + 1);
    rest_.remove_prefix(end + 1);
  }

  std::string_view rest_;
  std::string out_, wrong_;
};

}  // namespace

Result<std::string> re2_of_ecma(std::string_view pattern) { return Translation(pattern).all(); }

}  // namespace agentd::tool
