#include "host/secret_search.hpp"

#include <algorithm>

namespace agentd::host {
namespace {

constexpr std::size_t kWidestWindow = 128;

std::uint16_t pair(char before, char c) {
  return static_cast<std::uint16_t>((static_cast<unsigned char>(before) << 7 ^ static_cast<unsigned char>(c)) & 0x3fff);
}

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_base64_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '-' ||
         c == '_';
}

// A mark must not be marked again, whatever the secret.
bool is_within_mark(std::string_view text, std::size_t at, std::string_view form) {
  constexpr auto kMark = SecretSearch::kMark;
  for (auto in = kMark.find(form); in != kMark.npos; in = kMark.find(form, in + 1))
    if (at >= in && text.substr(at - in, kMark.size()) == kMark) return true;
  return false;
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin == 0 || !is_word_character(text[begin - 1])) && (end == text.size() || !is_word_character(text[end]));
}

}  // namespace

SecretSearch::SecretSearch(std::vector<Form> forms) {
  window_ = kWidestWindow;
  for (const auto& form : forms) window_ = std::min(window_, form.text.size());
  shifts_.fill(static_cast<std::uint8_t>(std::max<std::size_t>(window_ - 1, 1)));
  for (auto& form : forms) {
    const auto& text = form.text;
    if (window_ == 1)
      for (int before = 0; before < 256; ++before) shifts_[pair(static_cast<char>(before), text[0])] = 0;
    for (std::size_t i = 1; i < window_; ++i) {
      auto& shift = shifts_[pair(text[i - 1], text[i])];
      shift = std::min(shift, static_cast<std::uint8_t>(window_ - 1 - i));
    }
    const auto last = window_ == 1 ? pair(0, text[0]) : pair(text[window_ - 2], text[window_ - 1]);
    entries_.push_back({last, std::move(form)});
  }
  std::ranges::sort(entries_, [](const Entry& a, const Entry& b) {
    return a.last_pair != b.last_pair ? a.last_pair < b.last_pair : a.form.text.size() > b.form.text.size();
  });
}

template <class Accept>
std::optional<SecretSearch::Span> SecretSearch::find(std::string_view text, std::size_t from, Accept accept) const {
  for (std::size_t at = from + window_ - 1; at < text.size();) {
    const auto seen = pair(at > 0 ? text[at - 1] : '\0', text[at]);
    if (const auto shift = shifts_[seen]; shift > 0) {
      at += shift;
      continue;
    }
    const std::size_t begin = at + 1 - window_;
    const auto here = text.substr(begin);
    const auto last = window_ == 1 ? pair(0, text[at]) : seen;
    for (const auto& entry : std::ranges::equal_range(entries_, last, {}, &Entry::last_pair))
      if (here.starts_with(entry.form.text) && accept(entry.form, begin)) {
        Span span{begin, begin + entry.form.text.size(), entry.form.is_word};
        if (entry.form.shares_first && begin > from && is_base64_character(text[begin - 1])) --span.begin;
        if (entry.form.shares_last && span.end < text.size() && is_base64_character(text[span.end])) ++span.end;
        return span;
      }
    ++at;
  }
  return std::nullopt;
}

std::optional<SecretSearch::Span> SecretSearch::find_valid(std::string_view text, std::size_t from) const {
  return find(text, from, [text](const Form& form, std::size_t begin) {
    if (form.is_word && !stands_alone(text, begin, begin + form.text.size())) return false;
    return !is_within_mark(text, begin, form.text);
  });
}

std::optional<SecretSearch::Span> SecretSearch::next(std::string_view text, std::size_t from) const {
  auto span = find_valid(text, from);
  if (!span) return span;
  for (auto at = span->begin + 1; at < span->end;) {
    const auto more = find_valid(text, at);
    if (!more || more->begin >= span->end) break;
    span->end = std::max(span->end, more->end);
    span->is_word = span->is_word && more->is_word;
    at = more->begin + 1;
  }
  return span;
}

bool SecretSearch::touches(std::string_view text) const {
  return find(text, 0, [](const Form&, std::size_t) { return true; }).has_value();
}

}  // namespace agentd::host
