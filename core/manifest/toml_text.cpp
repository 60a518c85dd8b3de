#include "core/manifest/toml_text.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <sstream>

namespace agentd::manifest {
namespace {

constexpr int kMaxDepth = 64;
constexpr int kMaxKeyParts = 16;  // toml++ 3.3 bounds brackets, but takes a dotted key of any length and then runs out of stack

// Where a string that begins here ends; the end of the text when it does not.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char mark = text[at];
  const bool is_multiline = text.substr(at, 3) == std::string(3, mark);
  const std::string close(is_multiline ? 3 : 1, mark);
  for (auto i = at + close.size(); i < text.size(); ++i) {
    if (mark == '"' && text[i] == '\\') ++i;
    else if (text.substr(i, close.size()) == close) return i + close.size();
    else if (!is_multiline && text[i] == '\n') return i;
  }
  return text.size();
}

// The line of a key with too many parts; 0: there is none.
int line_of_long_key(std::string_view text) {
  int line = 1, parts = 1;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
    } else if (c == '"' || c == '\'') {
      const auto end = end_of_string(text, i);
      line += static_cast<int>(std::ranges::count(text.substr(i, end - i), '\n'));
      i = end;
    } else {
      if (c == '\n') ++line;
      if (c == '.' && ++parts > kMaxKeyParts) return line;
      if (c == '\n' || c == '=' || c == ',' || c == '{' || c == '[') parts = 1;
      ++i;
    }
  }
  return 0;
}

// What a value is that has no quotes and would be a text with them: 20s, daily. Empty: it is something else. The column counts characters.
std::string_view bare_word(std::string_view text, int line, int column) {
  for (; line > 1 && text.contains('\n'); --line) text.remove_prefix(text.find('\n') + 1);
  text = text.substr(0, text.find('\n'));
  std::size_t at = 0;
  for (int passed = 1; passed < column && at < text.size(); ++passed)
    while (++at < text.size() && (text[at] & 0xc0) == 0x80) continue;
  const auto is_of_a_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.'; };
  auto begin = std::min(at, text.size()), end = begin;
  while (begin > 0 && is_of_a_word(text[begin - 1])) --begin;
  while (end < text.size() && is_of_a_word(text[end])) ++end;
  const auto word = text.substr(begin, end - begin), before = text.substr(0, text.find_last_not_of(" \t", begin == 0 ? 0 : begin - 1) + 1);
  const bool is_value = before.contains('=') && (before.ends_with('=') || before.ends_with('[') || before.ends_with(','));
  const bool is_a_number_or_date = word.starts_with("0x") || word.starts_with("0o") || word.starts_with("0b") || word.find_first_not_of("0123456789-") == 10;
  return is_value && !is_a_number_or_date && std::ranges::any_of(word, [](char c) { return std::isalpha(static_cast<unsigned char>(c)); }) ? word : std::string_view();
}

class Converter {
 public:
  Converter(const std::shared_ptr<const Source>& source, std::vector<Problem>& problems) : source_(source), problems_(problems) {}

  Tree convert(const toml::node& node, int depth) {
    Tree tree{{}, place(node.source())};
    if (depth > kMaxDepth) {
      problems_.push_back(problem_at(tree.place, "nested too deeply: at most 64 levels"));
      return tree;
    }
    if (const auto* table = node.as_table()) tree.value = entries(*table, depth);
    else if (const auto* list = node.as_array()) tree.value = items(*list, depth);
    else scalar(node, tree);
    return tree;
  }

 private:
  Place place(const toml::source_region& region) const {
    return {source_, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
  }

  // toml++ keeps tables sorted by name; people read files from the top.
  Tree::Table entries(const toml::table& table, int depth) {
    Tree::Table out;
    out.reserve(table.size());
    for (const auto& [key, value] : table) out.push_back({std::string(key.str()), place(key.source()), convert(value, depth + 1)});
    std::ranges::sort(out, {}, [](const Tree::Entry& e) { return std::pair(e.place.line, e.place.column); });
    return out;
  }

  Tree::List items(const toml::array& list, int depth) {
    Tree::List out;
    out.reserve(list.size());
    for (const auto& item : list) out.push_back(convert(item, depth + 1));
    return out;
  }

  void scalar(const toml::node& node, Tree& tree) {
    if (const auto* v = node.as_string()) text(v->get(), tree);
    else if (const auto* b = node.as_boolean()) tree.value = b->get();
    else if (const auto* i = node.as_integer()) tree.value = i->get();
    else if (const auto* f = node.as_floating_point()) {
      if (!std::isfinite(f->get())) problems_.push_back(problem_at(tree.place, "a number must be finite"));
      else tree.value = f->get();
    } else if (const auto* at = node.as_date_time()) tree.value = moment(at->get());
    else if (const auto* date = node.as_date()) tree.value = moment(date->get());
    else if (const auto* time = node.as_time()) tree.value = moment(time->get());
  }

  // Whoever takes it for a C string would read another one.
  void text(const std::string& text, Tree& tree) {
    if (text.find('\0') != text.npos) problems_.push_back(problem_at(tree.place, "a text must not have a NUL character in it"));
    else tree.value = text;
  }

  template <class T>
  static Moment moment(const T& value) {
    std::ostringstream text;
    text << value;
    return {text.str()};
  }

  const std::shared_ptr<const Source>& source_;
  std::vector<Problem>& problems_;
};

}  // namespace

std::optional<Tree> parse_toml(std::string_view text, const std::shared_ptr<const Source>& source, std::vector<Problem>& problems) {
  if (const int line = line_of_long_key(text)) {
    problems.push_back(problem_at({source, line, 1}, "a key has too many parts: at most " + std::to_string(kMaxKeyParts)));
    return std::nullopt;
  }
  try {
    const toml::table table = toml::parse(text, std::string_view());
    Tree tree = Converter(source, problems).convert(table, 0);
    tree.place = {source, 1, 1};
    return tree;
  } catch (const toml::parse_error& e) {
    const auto at = e.source().begin;
    const auto word = bare_word(text, static_cast<int>(at.line), static_cast<int>(at.column));
    problems.push_back(problem_at({source, static_cast<int>(at.line), static_cast<int>(at.column)}, std::string(e.description()) + (word.empty() ? "" : "; write it in quotes: " + quote(word))));
    return std::nullopt;
  }
}

}  // namespace agentd::manifest
