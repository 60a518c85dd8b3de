#include "host/secret_forms.hpp"

#include <algorithm>
#include <boost/beast/core/detail/base64.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/json_text.hpp"
#include "core/manifest/secrets.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kLeastBase64 = 8;  // characters that may stand inside of longer text

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

std::string escaped(std::string_view text) {
  const auto quoted = json_string(text);
  return quoted.substr(1, quoted.size() - 2);
}

std::string escaped_to_ascii(std::string_view text) {
  const auto quoted = nlohmann::json(std::string(text)).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

std::string percent_encoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                       c == '_' || c == '~';
    if (plain)
      out += c;
    else
      ((out += '%') += kHex[byte >> 4]) += kHex[byte & 15];
  }
  return out;
}

std::string base64(std::string_view text) {
  namespace base64 = boost::beast::detail::base64;
  std::string out(base64::encoded_size(text.size()), '\0');
  out.resize(base64::encode(out.data(), text.data(), text.size()));
  while (out.ends_with('=')) out.pop_back();
  return out;
}

class Forms {
 public:
  void add_all(std::string_view secret) {
    if (secret.empty()) return;
    const bool is_word = secret.size() < manifest::kShortSecret;
    const auto once = escaped(secret), ascii = escaped_to_ascii(secret);
    const auto for_html =
        replaced(replaced(replaced(replaced(once, "<", "\\u003c"), ">", "\\u003e"), "&", "\\u0026"), "'", "\\u0027");
    for (auto& text : {std::string(secret), once, ascii, for_html, replaced(once, "/", "\\/"), replaced(ascii, "/", "\\/"),
                       escaped(once), percent_encoded(secret)})
      add({.text = text, .is_word = is_word});
    for (std::size_t before = 0; before < 3; ++before) add_base64(secret, before);
  }
  std::vector<Form> take() { return std::move(forms_); }

 private:
  void add(Form form) {
    if (std::ranges::find(forms_, form.text, &Form::text) == forms_.end()) forms_.push_back(std::move(form));
  }

  // With so many bytes before it in a group of three: the characters that the secret alone decides.
  void add_base64(std::string_view secret, std::size_t before) {
    const auto whole = base64(std::string(before, '\0') + std::string(secret));
    const auto first = (before * 8 + 5) / 6, last = (before + secret.size()) * 8 / 6;
    Form form{.text = whole.substr(first, last - first), .shares_first = before > 0, .shares_last = last < whole.size()};
    if (form.text.size() < kLeastBase64) {
      if (before > 0) return;
      form = {.text = whole, .is_word = true};
    }
    auto for_urls = form;
    std::ranges::replace(for_urls.text, '+', '-');
    std::ranges::replace(for_urls.text, '/', '_');
    add(std::move(form));
    add(std::move(for_urls));
  }

  std::vector<Form> forms_;
};

std::string_view password_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == url.npos) return {};
  const auto authority = url.substr(scheme + 3, url.find_first_of("/?#", scheme + 3) - scheme - 3);
  const auto user = authority.substr(0, std::min(authority.rfind('@'), authority.size()));
  const auto colon = user.find(':');
  return user.size() == authority.size() || colon == user.npos ? std::string_view() : user.substr(colon + 1);
}

std::string_view credentials_of(std::string_view header) {
  for (const std::string_view scheme : {"Bearer ", "Basic ", "Token "})
    if (header.starts_with(scheme)) return trimmed(header.substr(scheme.size()));
  return {};
}

}  // namespace

std::vector<Form> forms_of(std::string_view secret) {
  secret = trimmed(secret);
  Forms forms;
  forms.add_all(secret);
  forms.add_all(password_of(secret));
  forms.add_all(credentials_of(secret));
  return forms.take();
}

}  // namespace agentd::host
