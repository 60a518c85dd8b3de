#include "core/manifest/form.hpp"

#include <algorithm>
#include <cmath>

namespace agentd::manifest {
namespace {

constexpr double kMostDollars = 1e6;


std::string number_text(double v) {
  std::string text = std::to_string(v);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::optional<double> as_number(const Tree& value) {
  if (const auto* f = std::get_if<double>(&value.value)) return *f;
  if (const auto* i = std::get_if<std::int64_t>(&value.value)) return static_cast<double>(*i);
  return std::nullopt;
}

// A form over plain text, with a rule that answers what is wrong with it.
Form<std::string> ruled_text(std::function<std::string(const std::string&)> fault, Json schema) {
  Form<std::string> form{Kind::text, {}, {}, std::move(schema), nullptr};
  form.read = [fault = std::move(fault)](Reader& reader, const Tree& value, std::string_view key) -> std::optional<std::string> {
    const auto* text = value.text();
    if (!text) return reader.wrong_type(value, key, "text"), std::nullopt;
    if (const auto wrong = fault(*text); !wrong.empty()) return reader.problem(value.place, quote(key) + " " + wrong), std::nullopt;
    return *text;
  };
  form.write = [](const std::string& value, bool) -> Json { return value; };
  return form;
}

std::optional<Millis> read_duration(Reader& reader, const Tree& value, std::string_view key) {
  if (const auto seconds = as_number(value)) {
    if (*seconds >= 0 && *seconds <= static_cast<double>(kLongest / std::chrono::seconds(1))) return Millis(std::llround(*seconds * 1000));
    return reader.problem(value.place, quote(key) + " must be between 0 and 10,000 days of seconds"), std::nullopt;
  }
  const auto* text = value.text();
  if (!text) return reader.wrong_type(value, key, "a duration like \"30s\", or seconds"), std::nullopt;
  const auto parsed = parse_duration(*text);
  if (!parsed) return reader.problem(value.place, quote(key) + ": " + parsed.error().message), std::nullopt;
  return *parsed;
}

std::optional<std::uint64_t> read_size(Reader& reader, const Tree& value, std::string_view key) {
  if (const auto* bytes = std::get_if<std::int64_t>(&value.value)) {
    if (*bytes >= 0) return static_cast<std::uint64_t>(*bytes);
    return reader.problem(value.place, quote(key) + " must not be negative"), std::nullopt;
  }
  const auto* text = value.text();
  if (!text) return reader.wrong_type(value, key, "a size like \"64KiB\", or bytes"), std::nullopt;
  const auto parsed = parse_size(*text);
  if (!parsed) return reader.problem(value.place, quote(key) + ": " + parsed.error().message), std::nullopt;
  return *parsed;
}

std::string_view authority_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  return url.substr(scheme + 3, url.find_first_of("/?#", scheme + 3) - scheme - 3);
}

bool is_web(std::string_view url) { return url.starts_with("http://") || url.starts_with("https://"); }

// Of other schemes a user's name alone is no secret; a web service takes a token there.
bool has_credentials(std::string_view url) {
  const auto authority = authority_of(url);
  const auto at = authority.rfind('@');
  if (at == std::string_view::npos) return false;
  const auto colon = authority.substr(0, at).find(':');
  return is_web(url) || (colon != std::string_view::npos && colon + 1 < at);
}

std::string fault_of_web_address(const std::string& url) {
  if (is_secret_ref(url) && !url.starts_with("file:")) return "";
  if (!is_web(url)) return "must begin with \"http://\" or \"https://\"";
  if (auto unsafe = unsafe_in_url(url); !unsafe.empty()) return unsafe;
  if (has_credentials(url)) return "holds credentials; what a service wants as a key goes into \"api_key\" or a header, as a reference like \"env:NAME\"";
  const auto authority = authority_of(url);
  if (authority.empty() || authority.front() == ':') return "names no host";
  return "";
}

constexpr const char* kSecretHint = "must be a reference, not the secret itself: \"env:NAME\", \"file:PATH\" or \"credential:NAME\"";

}  // namespace

std::string listing(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + quote(words[i]);
  return out;
}

Form<std::string> text() {
  return ruled_text([](const std::string&) { return std::string(); }, {{"type", "string"}});
}

Form<std::string> filled_text() {
  return ruled_text([](const std::string& s) { return std::string(s.empty() ? "must not be empty" : ""); }, {{"type", "string"}, {"minLength", 1}});
}

bool is_name(std::string_view s) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  if (s.empty() || s.size() > 64 || !letter(s.front())) return false;
  return std::ranges::all_of(s, [&](char c) { return letter(c) || c == '_' || c == '-' || c == '.'; });
}

Form<std::string> name_text() {
  return ruled_text([](const std::string& s) { return is_name(s) ? "" : quote(s) + " is not a name: letters, digits, \"_\", \"-\" and \".\", at most 64"; },
                    {{"type", "string"}, {"pattern", "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"}});
}

Form<std::string> one_of(std::vector<std::string> words) {
  Json schema = {{"enum", words}};
  return ruled_text(
      [words = std::move(words)](const std::string& s) {
        return std::ranges::find(words, s) != words.end() ? "" : "must be " + listing(words) + ", not " + quote(s);
      },
      std::move(schema));
}

Form<bool> boolean() {
  Form<bool> form{Kind::boolean, {}, [](const bool& v, bool) -> Json { return v; }, {{"type", "boolean"}}, nullptr};
  form.read = [](Reader& reader, const Tree& value, std::string_view key) -> std::optional<bool> {
    if (const auto* v = std::get_if<bool>(&value.value)) return *v;
    return reader.wrong_type(value, key, "true or false"), std::nullopt;
  };
  return form;
}

Form<std::int64_t> integer(std::int64_t least, std::int64_t most) {
  Json schema = {{"type", "integer"}, {"minimum", least}};
  if (most != kUnbounded) schema["maximum"] = most;
  Form<std::int64_t> form{Kind::integer, {}, [](const std::int64_t& v, bool) -> Json { return v; }, schema, nullptr};
  form.read = [=](Reader& reader, const Tree& value, std::string_view key) -> std::optional<std::int64_t> {
    const auto* v = std::get_if<std::int64_t>(&value.value);
    if (!v) return reader.wrong_type(value, key, "a whole number"), std::nullopt;
    if (*v >= least && *v <= most) return *v;
    const auto range = most == kUnbounded ? "at least " + std::to_string(least) : "between " + std::to_string(least) + " and " + std::to_string(most);
    return reader.problem(value.place, quote(key) + " must be " + range + ", not " + std::to_string(*v)), std::nullopt;
  };
  return form;
}

Form<double> number(double least, double most) {
  Form<double> form{Kind::number, {}, [](const double& v, bool) -> Json { return v; }, {{"type", "number"}, {"minimum", least}, {"maximum", most}}, nullptr};
  form.read = [=](Reader& reader, const Tree& value, std::string_view key) -> std::optional<double> {
    const auto v = as_number(value);
    if (!v) return reader.wrong_type(value, key, "a number"), std::nullopt;
    if (*v >= least && *v <= most) return *v;
    return reader.problem(value.place, quote(key) + " must be between " + number_text(least) + " and " + number_text(most)), std::nullopt;
  };
  return form;
}

Form<Millis> duration(Millis least, Millis most) {
  Form<Millis> form{Kind::quantity, {}, [](const Millis& v, bool) -> Json { return format_duration(v); }, {}, nullptr};
  form.schema = {{"type", {"string", "number"}}, {"pattern", "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"}, {"minimum", 0}};
  form.read = [=](Reader& reader, const Tree& value, std::string_view key) -> std::optional<Millis> {
    const auto v = read_duration(reader, value, key);
    if (!v) return std::nullopt;
    if (*v < least) return reader.problem(value.place, quote(key) + " must be at least " + format_duration(least)), std::nullopt;
    if (*v > most) return reader.problem(value.place, quote(key) + " must be at most " + format_duration(most)), std::nullopt;
    return v;
  };
  return form;
}

Form<std::uint64_t> size(std::uint64_t least, std::uint64_t most) {
  Form<std::uint64_t> form{Kind::quantity, {}, [](const std::uint64_t& v, bool) -> Json { return format_size(v); }, {}, nullptr};
  form.schema = {{"type", {"string", "integer"}}, {"pattern", "^[0-9]+(B|kB|MB|GB|KiB|MiB|GiB)?$"}, {"minimum", least}, {"maximum", most}};
  form.read = [=](Reader& reader, const Tree& value, std::string_view key) -> std::optional<std::uint64_t> {
    const auto v = read_size(reader, value, key);
    if (v && *v >= least && *v <= most) return v;
    if (v) reader.problem(value.place, quote(key) + " must be between " + format_size(least) + " and " + format_size(most));
    return std::nullopt;
  };
  return form;
}

Form<NanoDollars> money() {
  Form<NanoDollars> form{Kind::number, {}, {}, {{"type", "number"}, {"minimum", 0}, {"maximum", kMostDollars}}, nullptr};
  form.write = [](const NanoDollars& v, bool) -> Json { return static_cast<double>(v) / 1e9; };
  form.read = [](Reader& reader, const Tree& value, std::string_view key) -> std::optional<NanoDollars> {
    const auto v = as_number(value);
    if (!v) return reader.wrong_type(value, key, "a number of dollars"), std::nullopt;
    if (*v >= 0 && *v <= kMostDollars) return dollars(*v);
    return reader.problem(value.place, quote(key) + " must be between 0 and 1,000,000 dollars"), std::nullopt;
  };
  return form;
}

Form<Instant> instant() {
  Form<Instant> form{Kind::text, {}, [](const Instant& v, bool) -> Json { return format_instant(v); }, {{"type", "string"}, {"format", "date-time"}}, nullptr};
  form.read = [](Reader& reader, const Tree& value, std::string_view key) -> std::optional<Instant> {
    const auto* moment = std::get_if<Moment>(&value.value);
    const auto* text = moment ? &moment->text : value.text();
    if (!text) return reader.wrong_type(value, key, "an instant like 2026-12-01T09:00:00Z"), std::nullopt;
    const auto parsed = parse_instant(*text);
    if (parsed) return *parsed;
    return reader.problem(value.place, quote(key) + ": " + parsed.error().message), std::nullopt;
  };
  return form;
}

Form<std::string> path() {
  auto form = filled_text();
  form.read = [plain = form.read](Reader& reader, const Tree& value, std::string_view key) -> std::optional<std::string> {
    auto text = plain(reader, value, key);
    if (text && text->find('\0') != std::string::npos) return reader.problem(value.place, quote(key) + " is not a path"), std::nullopt;
    return text && !reader.canonical ? reader.path(value.place, key, *text) : text;
  };
  return form;
}

bool is_secret_ref(std::string_view s) {
  for (const std::string_view scheme : {"env:", "file:", "credential:"})
    if (s.starts_with(scheme) && s.size() > scheme.size()) return true;
  return false;
}

bool names_a_url(std::string_view key) { return key == "url" || key.ends_with("_url"); }

std::string unsafe_in_url(std::string_view url) {
  const auto is_unsafe = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '\\'; };
  return std::ranges::any_of(url, is_unsafe) ? "has a space, a control character or a backslash in it; percent-encode what belongs there" : "";
}

Form<std::string> url() { return ruled_text(fault_of_web_address, {{"type", "string"}, {"pattern", "^(https?://[^\\s@/]|env:|credential:)"}}); }

Form<SecretRef> secret() {
  Form<SecretRef> form{Kind::text, {}, [](const SecretRef& v, bool) -> Json { return v.text; }, {{"type", "string"}, {"pattern", "^(env|file|credential):."}}, nullptr};
  form.read = [](Reader& reader, const Tree& value, std::string_view key) -> std::optional<SecretRef> {
    const auto* text = value.text();
    if (!text) return reader.wrong_type(value, key, "text"), std::nullopt;
    if (!is_secret_ref(*text)) return reader.problem(value.place, quote(key) + " " + kSecretHint), std::nullopt;
    if (text->starts_with("file:") && !reader.canonical) return SecretRef{"file:" + reader.path(value.place, key, text->substr(5))};
    return SecretRef{*text};
  };
  return form;
}

bool names_a_secret(std::string_view key) {
  std::string lower(key);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c == '-' ? '_' : c; });
  for (const std::string_view word : {"api_key", "apikey", "token", "secret", "password", "passwd", "authorization", "private_key", "access_key"})
    if (lower.ends_with(word)) return true;
  return false;
}

bool is_literal_secret(std::string_view key, std::string_view text) {
  return names_a_secret(key) ? !text.empty() && !is_secret_ref(text) : has_credentials(text);
}

Json open_value(Reader& reader, const Tree& value, std::string_view key) {
  if (const auto* text = value.text()) {
    if (reader.canonical) return *text;
    if (is_literal_secret(key, *text)) reader.problem(value.place, quote(key) + (names_a_secret(key) ? " " : " holds credentials; the whole value ") + kSecretHint);
    else if (const auto unsafe = names_a_url(key) ? unsafe_in_url(*text) : ""; !unsafe.empty()) reader.problem(value.place, quote(key) + " " + unsafe);
    if (names_a_secret(key) && text->starts_with("file:")) return "file:" + reader.path(value.place, key, text->substr(5));
  } else if (const auto* items = value.list()) {
    Json out = Json::array();
    for (const auto& item : *items) out.push_back(open_value(reader, item, key));
    return out;
  } else if (const auto* table = value.table()) {
    Json out = Json::object();
    for (const auto& entry : *table) out[entry.key] = open_value(reader, entry.value, entry.key);
    return out;
  }
  return to_json(value);
}

Form<std::string> open_table() {
  Form<std::string> form{Kind::open, {}, {}, {{"type", "object"}}, nullptr};
  form.read = [](Reader& reader, const Tree& value, std::string_view key) -> std::optional<std::string> {
    if (!value.table()) return reader.wrong_type(value, key, "a table"), std::nullopt;
    return open_value(reader, value, key).dump();
  };
  form.write = [](const std::string& v, bool) -> Json { return Json::parse(v, nullptr, false); };
  return form;
}

}  // namespace agentd::manifest
