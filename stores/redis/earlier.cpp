#include "earlier.hpp"

#include "scripts.hpp"
#include "stores/text/event_id.hpp"

namespace agentd::redis {
namespace {
constexpr int kPage = 1000;
}

Told told(const Value& event) { return {std::string(event[1].text()), std::string(event[2].text()), std::string(event[3].text())}; }

Earlier::Earlier(Client& client, const std::string& stream, std::string_view first) : client_(client), stream_(stream) {
  for (std::string below = "+";;) {
    const auto page = client_.ask(Command(script::kBack, stream_, below, kPage));
    const auto oldest = page[0].text();
    if (oldest.empty()) return;
    if (page.size() > 1 && stores::is_before(told(page[page.size() - 1]).id, first)) {
      from_ = "(" + std::string(oldest);
      for (std::size_t i = 1; i < page.size() && !stores::is_before(told(page[i]).id, first); ++i) from_ = page[i][0].text();
      return;
    }
    below = "(" + std::string(oldest);
  }
}

bool Earlier::next() {
  while (!page_ || ++at_ >= page_->size()) {
    page_ = client_.ask(Command(script::kForth, stream_, from_, kPage));
    at_ = 0;
    const auto last = (*page_)[0].text();
    if (last.empty()) return false;
    from_ = "(" + std::string(last);
  }
  now_ = told((*page_)[at_]);
  return true;
}

std::optional<Told> Earlier::event(std::string_view id) {
  while (now_.id.empty() || stores::is_before(now_.id, id))
    if (!next()) return std::nullopt;
  return now_.id == id ? std::optional(now_) : std::nullopt;
}

}  // namespace agentd::redis
