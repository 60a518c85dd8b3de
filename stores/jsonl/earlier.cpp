#include "earlier.hpp"

#include "line_id.hpp"
#include "stores/text/event_id.hpp"

namespace agentd::jsonl {

Earlier::Earlier(const std::vector<std::filesystem::path>& files, std::string_view first) {
  for (const auto& file : files) {
    left_.push_back(file);
    std::ifstream in(file);
    std::string line;
    if (std::getline(in, line) && !stores::is_before(first, id_of(line))) break;
  }
}

bool Earlier::next() {
  while (!std::getline(in_, line_)) {
    if (left_.empty()) return false;
    in_ = std::ifstream(left_.back());
    left_.pop_back();
  }
  return true;
}

std::string_view Earlier::line(std::string_view id) {
  while (stores::is_before(id_of(line_), id))
    if (!next()) return {};
  return id_of(line_) == id ? std::string_view(line_) : std::string_view();
}

}  // namespace agentd::jsonl
