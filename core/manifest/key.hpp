// A table's keys, declared once: from the declaration come reading with located problems, unknown-key suggestions, the canonical
// text, `agentd schema`, what an environment variable's text becomes, and the test that no key is silently ignored.
//
//   key("queue_size", &Limits::queue_size, integer(1), "Runs that may wait.")
//   key("cost_limit", &Limits::cost_limit, money(), "Dollars per run.").not_yet()
//   key("misfire", &Schedule::misfire, misfire_form(), "...").not_yet("all")
#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/manifest/form.hpp"

namespace agentd::manifest {

struct Key {
  std::string name;
  std::string doc;
  Kind kind = Kind::text;
  Json schema;
  const TableKeys* table = nullptr;
  bool is_required = false;
  bool is_read_first = false;
  bool is_supported = true;
  std::vector<Json> refused;                 // values whose feature is not built
  std::vector<Json> accepted;                // when not empty: the only values that are
  std::function<void(Reader&, const Tree&, void* object)> read;
  std::function<Json(const void* object, bool with_defaults)> write;  // null: not set

  Key&& required() && { return is_required = true, std::move(*this); }
  Key&& first() && { return is_read_first = true, std::move(*this); }
  // The feature is not built yet: setting the key is refused.
  Key&& not_yet() && { return is_supported = false, std::move(*this); }
  // One value's feature is not built yet.
  Key&& not_yet(Json value) && { return refused.push_back(std::move(value)), std::move(*this); }
  // The feature is not built yet: only the value that asks for nothing is accepted.
  Key&& only(Json value) && { return accepted.push_back(std::move(value)), std::move(*this); }
};

// Another name people know for a key, and where it went.
struct Moved {
  std::string name;
  std::string hint;                          // `"retry_delay" is unknown; ` + hint
};

struct TableKeys {
  std::vector<Key> keys;
  std::vector<Moved> moved;
  // Takes what no key names, as one JSON object; empty: unknown keys are problems.
  std::function<void(Json rest, void* object)> take_rest;
  std::function<Json(const void* object)> rest;
  const Key* find(std::string_view name) const;
  std::vector<std::string> names() const;
};

// Reads a table into an object; says every problem. With unknown keys, suggests names of this table and of those inside it.
void read_table(Reader& reader, const Tree& tree, const TableKeys& keys, void* object);
// Without with_defaults: only what differs from `plain`, a default object.
Json write_table(const TableKeys& keys, const void* object, const void* plain, bool with_defaults);
Json schema_of(const TableKeys& keys);

// get answers nullopt when there is nothing to write; set answers what is wrong, or "".
template <class S, class V>
Key custom_key(std::string name, std::function<std::optional<V>(const S&)> get, std::function<std::string(S&, V)> set, Form<V> form, std::string doc) {
  Key key{.name = name, .doc = std::move(doc), .kind = form.kind, .schema = form.schema, .table = form.table};
  key.read = [name, form, set = std::move(set)](Reader& reader, const Tree& tree, void* object) {
    auto value = form.read(reader, tree, name);
    if (!value) return;
    if (const auto fault = set(*static_cast<S*>(object), std::move(*value)); !fault.empty()) reader.problem(tree.place, "\"" + name + "\" " + fault);
  };
  key.write = [form, get = std::move(get)](const void* object, bool with_defaults) -> Json {
    const auto value = get(*static_cast<const S*>(object));
    return value ? form.write(*value, with_defaults) : Json();
  };
  return key;
}

template <class S, class V>
Key key(std::string name, V S::* member, Form<V> form, std::string doc) {
  return custom_key<S, V>(
      std::move(name), [member](const S& s) { return std::optional<V>(s.*member); },
      [member](S& s, V v) { return s.*member = std::move(v), std::string(); }, std::move(form), std::move(doc));
}

template <class S, class V>
Key key(std::string name, std::optional<V> S::* member, Form<V> form, std::string doc) {
  return custom_key<S, V>(
      std::move(name), [member](const S& s) { return s.*member; }, [member](S& s, V v) { return s.*member = std::move(v), std::string(); },
      std::move(form), std::move(doc));
}

// A table that is read into a T. `keys` outlives the form.
template <class T>
Form<T> table(const TableKeys& keys) {
  Form<T> form{Kind::table, {}, {}, schema_of(keys), &keys};
  form.read = [&keys](Reader& reader, const Tree& value, std::string_view name) -> std::optional<T> {
    if (!value.table()) return reader.wrong_type(value, name, "a table"), std::nullopt;
    T object{};
    read_table(reader, value, keys, &object);
    return object;
  };
  form.write = [&keys](const T& object, bool with_defaults) {
    const T plain{};
    return write_table(keys, &object, &plain, with_defaults);
  };
  return form;
}

// Puts each key's default into its schema.
template <class T>
TableKeys table_keys(TableKeys keys) {
  const T plain{};
  for (auto& key : keys.keys)
    if (Json value = key.write(&plain, false); !value.is_null() && value != "" && key.kind != Kind::table) key.schema["default"] = std::move(value);
  return keys;
}

}  // namespace agentd::manifest
