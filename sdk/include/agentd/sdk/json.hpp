// Reading JSON without a document tree, and writing strings. For types see types.hpp.
#pragma once
#include <agentd/sdk/error.hpp>
#include <agentd/sdk/numbers.hpp>
#include <agentd/sdk/utf8.hpp>

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace agentd::sdk {
namespace detail {

constexpr int kMaxJsonDepth = 64;

// Whether a byte inside a string stands for itself: a table, because strings are most of any JSON text.
struct PlainBytes {
  bool plain[256] = {};
  constexpr PlainBytes() {
    for (int c = 0x20; c < 256; ++c) plain[c] = c != '"' && c != '\\';
  }
  constexpr bool operator[](char c) const { return plain[static_cast<unsigned char>(c)]; }
};
inline constexpr PlainBytes kPlainBytes;

// Moves `at` to the first byte inside a string that does not stand for itself, or to the end: eight bytes at a time where the first byte
// in memory is the lowest of a word (https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord).
inline const char* skip_plain(const char* at, const char* end) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  constexpr std::uint64_t kOnes = 0x0101010101010101, kTops = 0x8080808080808080;
  for (; end - at >= 8; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t quote = word ^ (kOnes * '"'), backslash = word ^ (kOnes * '\\');
    const std::uint64_t found = (((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) | ((word - kOnes * 0x20) & ~word)) & kTops;
    if (found != 0) return at + (__builtin_ctzll(found) >> 3);
  }
#endif
  while (at != end && kPlainBytes[*at]) ++at;
  return at;
}

// The grammar of RFC 8259. Every step either moves `at` forward within the text or throws.
struct Scanner {
  const char* at;
  const char* end;

  bool done() const { return at == end; }
  bool sees(char c) const { return at != end && *at == c; }
  bool sees_digit() const { return at != end && *at >= '0' && *at <= '9'; }
  bool take(char c) { return sees(c) ? (++at, true) : false; }
  void space() {
    while (at != end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) ++at;
  }
  [[noreturn]] void fail() const {
    const std::string_view rest(at, static_cast<std::size_t>(end - at));
    throw Error("not valid JSON " + (rest.empty() ? std::string("at its end") : "near " + valid_utf8(rest.substr(0, 40))));
  }
  void expect(char c) {
    if (!take(c)) fail();
  }

  void value(int depth = 0) {
    if (done()) fail();
    switch (*at) {
      case '"': string(); return;
      case '{': return list('{', '}', depth);
      case '[': return list('[', ']', depth);
      case 't': return word("true");
      case 'f': return word("false");
      case 'n': return word("null");
      default: return number();
    }
  }
  // Whether it has escapes.
  bool string() {
    expect('"');
    bool escaped = false;
    for (;; ++at) {
      at = skip_plain(at, end);
      if (done() || *at != '\\') break;
      escape();
      escaped = true;
    }
    expect('"');
    return escaped;
  }
  void number() {
    take('-');
    if (!take('0')) digits();
    if (take('.')) digits();
    if (sees('e') || sees('E')) {
      ++at;
      if (!take('-')) take('+');
      digits();
    }
  }

 private:
  // Leaves `at` on the last byte of the escape.
  void escape() {
    constexpr std::string_view kShort = "\"\\/bfnrt", kHex = "0123456789abcdefABCDEF";
    if (++at == end) fail();
    if (kShort.find(*at) != kShort.npos) return;
    if (*at != 'u') fail();
    for (int i = 0; i < 4; ++i) {
      if (++at == end || kHex.find(*at) == kHex.npos) fail();
    }
  }
  void digits() {
    if (!sees_digit()) fail();
    while (sees_digit()) ++at;
  }
  void word(std::string_view text) {
    for (const char c : text) expect(c);
  }
  void list(char open, char close, int depth) {
    if (depth >= kMaxJsonDepth) throw Error("JSON nested deeper than 64 levels");
    expect(open);
    space();
    if (take(close)) return;
    do {
      space();
      if (open == '{') string(), space(), expect(':'), space();
      value(depth + 1);
      space();
    } while (take(','));
    expect(close);
  }
};

}  // namespace detail

// A read-only view of one JSON value. It owns nothing: the text must outlive it. Safe on any bytes: what is not JSON, or not of the
// kind that was asked for, throws Error. Reading walks the text, so keep what you read instead of asking twice.
class Json {
 public:
  enum class Kind { nothing, object, array, string, number, boolean, null };

  Json() = default;  // nothing: what a missing member is
  explicit Json(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {
    while (end_ != at_ && is_space(end_[-1])) --end_;
    while (at_ != end_ && is_space(*at_)) ++at_;
  }

  // What the first byte promises; the rest is checked as it is read.
  Kind kind() const { return kind_at(at_, end_); }
  explicit operator bool() const { return at_ != end_; }
  bool is_null() const { return kind() == Kind::null; }
  std::string_view text() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  // Whether this is one whole value and nothing else, at most 64 levels deep.
  bool valid() const noexcept {
    try {
      whole();
      return true;
    } catch (...) {
      return false;
    }
  }

  // each(std::string_view name, Json value), in the order of the text; the name is valid during the call.
  template <class F>
  void members(F&& each) const {
    walk_members([&](std::string_view name, Json value) {
      each(name, value);
      return true;
    });
  }
  // each(Json value)
  template <class F>
  void elements(F&& each) const {
    if (kind() != Kind::array) mismatch("an array");
    walk('[', ']', [&](detail::Scanner& s) {
      each(next(s));
      return true;
    });
  }
  // The first member of that name; nothing when there is none, or when this is not an object.
  Json operator[](std::string_view name) const {
    Json found;
    if (kind() != Kind::object) return found;
    walk_members([&](std::string_view key, Json value) {
      if (key != name) return true;
      found = value;
      return false;
    });
    return found;
  }
  // The element at that place; nothing when there is none, or when this is not an array.
  Json operator[](std::size_t index) const {
    Json found;
    if (kind() != Kind::array) return found;
    walk('[', ']', [&](detail::Scanner& s) {
      const Json value = next(s);
      if (index-- > 0) return true;
      found = value;
      return false;
    });
    return found;
  }
  Json operator[](const char* name) const { return (*this)[std::string_view(name)]; }
  Json operator[](int index) const { return index < 0 ? Json() : (*this)[static_cast<std::size_t>(index)]; }

  // Escapes are decoded; half of a surrogate pair becomes U+FFFD. Bytes that are not UTF-8 stay as they are.
  std::string string() const {
    if (kind() != Kind::string) mismatch("a string");
    detail::Scanner s{at_, end_};
    s.string();
    if (!s.done()) s.fail();
    s.at = at_;
    return decode(s);
  }
  bool boolean() const {
    if (kind() != Kind::boolean) mismatch("a boolean");
    whole();
    return *at_ == 't';
  }
  double number() const {
    if (kind() != Kind::number) mismatch("a number");
    whole();
    double value = 0;
    if (!detail::parse_double(text(), value)) mismatch("a number that a double can hold");
    return value;
  }
  // 3, 3.0 and 3e0 are the same integer, as they are to JSON Schema.
  template <class T>
  T integer() const {
    if (kind() != Kind::number) mismatch("an integer");
    whole();
    T value{};
    if (!detail::parse_integer(text(), value)) mismatch("an integer in range");
    return value;
  }

  [[noreturn]] void mismatch(const char* wanted) const {
    const bool cut = text().size() > 40;
    const std::string got = at_ == end_ ? "nothing" : valid_utf8(text().substr(0, 40)) + (cut ? "..." : "");
    throw Error(std::string("expected ") + wanted + ", got " + got);
  }

 private:
  friend class JsonReader;
  Json(const char* at, const char* end) : at_(at), end_(end) {}
  static Kind kind_at(const char* at, const char* end) {
    if (at == end) return Kind::nothing;
    switch (*at) {
      case '{': return Kind::object;
      case '[': return Kind::array;
      case '"': return Kind::string;
      case 't':
      case 'f': return Kind::boolean;
      case 'n': return Kind::null;
      default: return Kind::number;
    }
  }
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

  detail::Scanner whole() const {
    detail::Scanner s{at_, end_};
    s.value();
    if (!s.done()) s.fail();
    return s;
  }
  static Json next(detail::Scanner& s) {
    const char* from = s.at;
    s.value();
    return Json(from, s.at);
  }
  // each(scanner) reads one element and says whether to go on.
  template <class F>
  void walk(char open, char close, F&& each) const {
    detail::Scanner s{at_, end_};
    s.expect(open);
    s.space();
    if (!s.take(close)) {
      do {
        s.space();
        if (!each(s)) return;
        s.space();
      } while (s.take(','));
      s.expect(close);
    }
    if (!s.done()) s.fail();
  }
  template <class F>
  void walk_members(F&& each) const {
    if (kind() != Kind::object) mismatch("an object");
    std::string decoded;
    walk('{', '}', [&](detail::Scanner& s) {
      const auto name = take_name(s, decoded);
      return each(name, next(s));
    });
  }
  // A member's name, up to its value; a view into the text, or into `decoded` where it has escapes.
  static std::string_view take_name(detail::Scanner& s, std::string& decoded) {
    const char* from = s.at;
    const bool escaped = s.string();
    std::string_view name(from + 1, static_cast<std::size_t>(s.at - from - 2));
    if (escaped) {
      decoded = decode({from, s.at});
      name = decoded;
    }
    s.space(), s.expect(':'), s.space();
    return name;
  }

  static std::string decode(detail::Scanner s) {
    std::string out;
    s.expect('"');
    while (!s.done() && *s.at != '"') {
      const char* from = s.at;
      while (!s.done() && *s.at != '"' && *s.at != '\\') ++s.at;
      out.append(from, s.at);
      if (s.take('\\')) escape(s, out);
    }
    s.expect('"');
    return out;
  }
  static void escape(detail::Scanner& s, std::string& out) {
    if (s.done()) s.fail();
    switch (*s.at++) {
      case '"': out += '"'; return;
      case '\\': out += '\\'; return;
      case '/': out += '/'; return;
      case 'b': out += '\b'; return;
      case 'f': out += '\f'; return;
      case 'n': out += '\n'; return;
      case 'r': out += '\r'; return;
      case 't': out += '\t'; return;
      case 'u': return append_code_point(out, code_point(s));
      default: --s.at; s.fail();
    }
  }
  static unsigned code_point(detail::Scanner& s) {
    const unsigned unit = hex4(s);
    if (unit < 0xD800 || unit > 0xDFFF) return unit;
    if (unit > 0xDBFF) return kReplacementCharacter;
    detail::Scanner ahead = s;
    if (!ahead.take('\\') || !ahead.take('u')) return kReplacementCharacter;
    const unsigned low = hex4(ahead);
    if (low < 0xDC00 || low > 0xDFFF) return kReplacementCharacter;
    s = ahead;
    return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
  }
  static unsigned hex4(detail::Scanner& s) {
    unsigned value = 0;
    for (int i = 0; i < 4; ++i, ++s.at) {
      if (s.done()) s.fail();
      const char c = *s.at;
      const bool digit = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'f', upper = c >= 'A' && c <= 'F';
      if (!digit && !lower && !upper) s.fail();
      value = value * 16 + static_cast<unsigned>(digit ? c - '0' : lower ? c - 'a' + 10 : c - 'A' + 10);
    }
    return value;
  }

  const char* at_ = nullptr;
  const char* end_ = nullptr;
};

// Reads one JSON value once, from its begin to its end: what Json walks once per level of nesting, this walks once. What is not JSON,
// or not of the kind that was asked for, throws Error, at the latest from end(); what was given before that stands.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : s_{text.data(), text.data() + text.size()} { s_.space(); }

  // Of the value that comes next.
  Json::Kind kind() const { return Json::kind_at(s_.at, s_.end); }

  // each(std::string_view name) reads the member's value from this reader, or leaves it: then it is passed over.
  template <class F>
  void members(F&& each) {
    if (kind() != Json::Kind::object) mismatch("an object");
    std::string decoded;
    list('{', '}', [&] {
      const auto name = Json::take_name(s_, decoded);
      read_or_pass([&] { each(name); });
    });
  }
  // each() reads the element or leaves it.
  template <class F>
  void elements(F&& each) {
    if (kind() != Json::Kind::array) mismatch("an array");
    list('[', ']', [&] { read_or_pass(each); });
  }
  std::string string() {
    if (kind() != Json::Kind::string) mismatch("a string");
    const char* from = s_.at;
    const bool escaped = s_.string();
    return escaped ? Json::decode({from, s_.at}) : std::string(from + 1, static_cast<std::size_t>(s_.at - from - 2));
  }
  // The value that comes next, whole.
  Json value() {
    const char* from = s_.at;
    s_.value(depth_);
    return Json(from, s_.at);
  }
  // Throws where anything but space follows.
  void end() {
    s_.space();
    if (!s_.done()) s_.fail();
  }

 private:
  template <class F>
  void list(char open, char close, F&& item) {
    if (depth_ >= detail::kMaxJsonDepth) throw Error("JSON nested deeper than 64 levels");
    ++depth_;
    s_.expect(open);
    s_.space();
    if (!s_.take(close)) {
      do {
        s_.space();
        item();
        s_.space();
      } while (s_.take(','));
      s_.expect(close);
    }
    --depth_;
  }
  template <class F>
  void read_or_pass(F&& read) {
    const char* from = s_.at;
    read();
    if (s_.at == from) s_.value(depth_);
  }
  [[noreturn]] void mismatch(const char* wanted) const { Json(s_.at, s_.end).mismatch(wanted); }

  detail::Scanner s_;
  int depth_ = 0;
};

// Appends `text` as a JSON string. Bytes that are not UTF-8 become U+FFFD, so that the result is always valid.
inline void write_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  const auto plain = [](unsigned char c) { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; };
  out += '"';
  while (!text.empty()) {
    std::size_t n = 0;
    while (n < text.size() && plain(static_cast<unsigned char>(text[n]))) ++n;
    out.append(text.data(), n);
    text.remove_prefix(n);
    if (text.empty()) break;
    const auto c = static_cast<unsigned char>(text[0]);
    n = utf8_sequence(text);
    if (c == '"' || c == '\\') {
      out += '\\', out += text[0];
    } else if (c < 0x20) {
      const char escaped[] = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
      out.append(escaped, sizeof escaped);
    } else if (n > 0) {
      out.append(text.data(), n);
    } else {
      append_code_point(out, kReplacementCharacter), n = 1;
    }
    text.remove_prefix(n);
  }
  out += '"';
}

}  // namespace agentd::sdk
