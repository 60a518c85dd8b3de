#include "host/redactor.hpp"

#include <algorithm>
#include <boost/beast/core/detail/base64.hpp>

#include "core/base/json_text.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kShortest = 6;

std::string base64(std::string_view text) {
  namespace base64 = boost::beast::detail::base64;
  std::string out(base64::encoded_size(text.size()), '\0');
  out.resize(base64::encode(out.data(), text.data(), text.size()));
  while (out.ends_with('=')) out.pop_back();  // padding depends on what follows
  return out;
}

}  // namespace

void Redactor::add(std::string_view secret) {
  if (secret.size() < kShortest) return;
  auto escaped = json_string(secret);
  escaped = escaped.substr(1, escaped.size() - 2);
  const Lock lock(mutex_);
  for (auto& form : {std::string(secret), escaped, base64(secret)})
    if (std::ranges::find(forms_, form) == forms_.end()) forms_.push_back(form);
  std::ranges::sort(forms_, [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string Redactor::clean(std::string text) const {
  const Lock lock(mutex_);
  for (const auto& form : forms_)
    for (auto at = text.find(form); at != std::string::npos; at = text.find(form, at + 3)) text.replace(at, form.size(), "***");
  return text;
}

}  // namespace agentd::host
