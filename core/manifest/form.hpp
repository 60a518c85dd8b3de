// The shapes a value can have. A form reads a value from a tree, writes it back as JSON and describes it as a JSON Schema, so a
// key is declared once (see key.hpp).
#pragma once
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/manifest/agent_spec.hpp"
#include "core/manifest/reader.hpp"

namespace agentd::manifest {

struct TableKeys;

// What an environment variable's text has to become; entries: a table whose names people choose; open: any JSON.
enum class Kind { text, boolean, integer, number, quantity, list, table, entries, open };

template <class T>
struct Form {
  Kind kind = Kind::text;
  std::function<std::optional<T>(Reader&, const Tree&, std::string_view key)> read;  // nullopt: a problem was told
  std::function<Json(const T&, bool with_defaults)> write;                            // read takes it back
  Json schema;
  const TableKeys* table = nullptr;          // of a table, or of each element of a list or of entries
};

inline constexpr std::int64_t kUnbounded = std::numeric_limits<std::int64_t>::max();
inline constexpr Millis kLongest = std::chrono::days(10'000);

Form<std::string> text();
Form<std::string> filled_text();             // not empty
Form<bool> boolean();
Form<std::int64_t> integer(std::int64_t least, std::int64_t most = kUnbounded);
Form<double> number(double least, double most);
Form<Millis> duration(Millis least = Millis(0), Millis most = kLongest);  // "30s", or seconds
Form<std::uint64_t> size(std::uint64_t least, std::uint64_t most);
Form<NanoDollars> money();                   // dollars
Form<Instant> instant();
Form<std::string> path();                    // absolute, relative to the file that names it
Form<std::string> one_of(std::vector<std::string> words);
Form<std::string> name_text();               // a name in configuration: [A-Za-z0-9][A-Za-z0-9_.-]*, at most 64
Form<std::string> url();                     // of a web service; or a reference to a secret that holds one
Form<SecretRef> secret();                    // a literal one is refused, and never repeated in the message
Form<std::string> open_table();              // a JSON object as text

bool is_secret_ref(std::string_view text);
bool is_name(std::string_view text);
// A key by whose name a value is a secret: "api_key", "token", "password", ...
bool names_a_secret(std::string_view key);
// A key by whose name a value is an address: "url", "base_url", ...
bool names_a_url(std::string_view key);
// "has a space or a control character in it; ..." or "".
std::string unsafe_in_url(std::string_view url);
// A text under such a name that is no reference, or a URL with a password in it.
bool is_literal_secret(std::string_view key, std::string_view text);
// An open table's part as JSON. Literal secrets are refused; "file:" references under such names become absolute.
Json open_value(Reader& reader, const Tree& value, std::string_view key);

std::string listing(const std::vector<std::string>& words);  // `"a", "b" or "c"`

template <class E>
struct Word {
  const char* word;
  E value;
};

template <class E>
Form<E> choice(std::vector<Word<E>> words) {
  std::vector<std::string> names;
  for (const auto& w : words) names.emplace_back(w.word);
  auto base = one_of(names);
  Form<E> form{Kind::text, {}, {}, base.schema, nullptr};
  form.read = [words, base](Reader& reader, const Tree& value, std::string_view key) -> std::optional<E> {
    const auto text = base.read(reader, value, key);
    if (!text) return std::nullopt;
    for (const auto& w : words)
      if (*text == w.word) return w.value;
    return std::nullopt;
  };
  form.write = [words](const E& value, bool) -> Json {
    for (const auto& w : words)
      if (value == w.value) return w.word;
    return nullptr;
  };
  return form;
}

template <class T>
Form<std::vector<T>> list(Form<T> of) {
  Form<std::vector<T>> form{Kind::list, {}, {}, {{"type", "array"}, {"items", of.schema}}, of.table};
  form.read = [of](Reader& reader, const Tree& value, std::string_view key) -> std::optional<std::vector<T>> {
    const auto* items = value.list();
    if (!items) return reader.wrong_type(value, key, "a list"), std::nullopt;
    std::vector<T> out;
    for (const auto& item : *items)
      if (auto element = of.read(reader, item, key)) out.push_back(std::move(*element));
    return out.size() == items->size() ? std::optional(std::move(out)) : std::nullopt;
  };
  form.write = [of](const std::vector<T>& value, bool with_defaults) {
    Json out = Json::array();
    for (const auto& item : value) out.push_back(of.write(item, with_defaults));
    return out;
  };
  return form;
}

// A table whose names people choose. `named`, when given, completes an element by its name. any_name: not held to is_name.
template <class T>
Form<std::map<std::string, T>> entries(Form<T> of, std::function<void(const std::string&, T&)> named = {}, bool any_name = false) {
  Form<std::map<std::string, T>> form{Kind::entries, {}, {}, {{"type", "object"}, {"additionalProperties", of.schema}}, of.table};
  form.read = [of, named, any_name](Reader& reader, const Tree& value, std::string_view key) -> std::optional<std::map<std::string, T>> {
    const auto* table = value.table();
    if (!table) return reader.wrong_type(value, key, "a table"), std::nullopt;
    std::map<std::string, T> out;
    for (const auto& entry : *table) {
      if (!any_name && !is_name(entry.key)) reader.problem(entry.place, "\"" + entry.key + "\" is not a name: letters, digits, \"_\", \"-\" and \".\", at most 64");
      auto element = of.read(reader, entry.value, entry.key);
      if (!element) continue;
      if (named) named(entry.key, *element);
      out.emplace(entry.key, std::move(*element));
    }
    return out;
  };
  form.write = [of](const std::map<std::string, T>& value, bool with_defaults) {
    Json out = Json::object();
    for (const auto& [name, item] : value) out[name] = of.write(item, with_defaults);
    return out;
  };
  return form;
}

}  // namespace agentd::manifest
