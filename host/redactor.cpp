#include "host/redactor.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"

namespace agentd::host {
namespace {

// True when something was replaced.
bool replace_in(const SecretSearch& search, std::string& text, bool also_words = true) {
  const auto next = [&](std::size_t from) {
    auto span = search.next(text, from);
    while (span && span->is_word && !also_words) span = search.next(text, span->end);
    return span;
  };
  auto span = next(0);
  if (!span) return false;
  std::string out;
  std::size_t done = 0;
  for (; span; span = next(done)) {
    out.append(text, done, span->begin - done);
    out += SecretSearch::kMark;
    done = span->end;
  }
  out.append(text, done);
  text = std::move(out);
  return true;
}

// Escapes that JSON allows and our own writing does without: under them a secret has other bytes.
bool has_needless_escapes(std::string_view json) {
  for (auto at = json.find('\\'); at != json.npos && at + 1 < json.size(); at = json.find('\\', at + 2))
    if (json[at + 1] == 'u' || json[at + 1] == '/') return true;
  return false;
}

// One valid document, copied token by token.
class JsonCleaning {
 public:
  JsonCleaning(const SecretSearch& search, std::string_view json) : search_(search), json_(json) {}

  std::string run() {
    for (std::size_t at = 0; at < json_.size();) {
      const char c = json_[at];
      const auto token = json_.substr(at, c == '"' ? string_at(at) : is_number(c) ? number_at(at) : 1);
      at += token.size();
      if (c == '"')
        string(token, is_name(at));
      else if (is_number(c))
        number(token);
      else
        out_ += token;
    }
    return std::move(out_);
  }

 private:
  static bool is_number(char c) { return c == '-' || (c >= '0' && c <= '9'); }
  std::size_t number_at(std::size_t at) const {
    return std::min(json_.find_first_not_of("0123456789+-.eE", at), json_.size()) - at;
  }
  std::size_t string_at(std::size_t at) const {
    auto end = at + 1;
    while (json_[end] != '"') end += json_[end] == '\\' ? 2 : 1;
    return end + 1 - at;
  }
  bool is_name(std::size_t after) const {
    const auto next = json_.find_first_not_of(" \t\r\n", after);
    return next != json_.npos && json_[next] == ':';
  }
  void string(std::string_view token, bool is_name) {
    const bool is_plain = token.find('\\') == token.npos;
    auto text = is_plain ? std::string(token.substr(1, token.size() - 2)) : nlohmann::json::parse(token).get<std::string>();
    if (replace_in(search_, text, !is_name))
      append_json_string(out_, text);
    else
      out_ += token;
  }
  void number(std::string_view token) {
    std::string text(token);
    if (replace_in(search_, text))
      append_json_string(out_, text);
    else
      out_ += token;
  }

  const SecretSearch& search_;
  const std::string_view json_;
  std::string out_;
};

}  // namespace

void Redactor::add(std::string_view secret) {
  const Lock lock(mutex_);
  const auto before = forms_.size();
  for (auto& form : forms_of(secret))
    if (std::ranges::find(forms_, form.text, &Form::text) == forms_.end()) forms_.push_back(std::move(form));
  if (forms_.size() != before) search_ = std::make_shared<const SecretSearch>(forms_);
}

std::shared_ptr<const SecretSearch> Redactor::search() const {
  const Lock lock(mutex_);
  return search_;
}

void Redactor::clean(std::string& text) const {
  if (const auto search = this->search()) replace_in(*search, text);
}

void Redactor::clean_json(std::string& json) const {
  const auto search = this->search();
  if (!search || (!search->touches(json) && !has_needless_escapes(json))) return;
  if (!is_json(json)) {
    replace_in(*search, json);
    return;
  }
  auto cleaned = JsonCleaning(*search, json).run();
  auto beyond_strings = cleaned;  // a secret that is JSON itself
  if (replace_in(*search, beyond_strings, false) || !is_json(cleaned)) cleaned = json_string(SecretSearch::kMark);
  json = std::move(cleaned);
}

void clean(const port::Cleaner& cleaner, manifest::AgentSpec& spec) {
  for (auto* text : {&spec.description, &spec.system_instruction, &spec.task.query}) cleaner.clean(*text);
  cleaner.clean_json(spec.task.params);
  for (auto& [name, value] : spec.labels) cleaner.clean(value);
}

}  // namespace agentd::host
