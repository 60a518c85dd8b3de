// A model's answer as a stream of events: in whatever pieces it comes, its events are the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "providers/openai/sse.hpp"

namespace {

std::vector<std::string> events_of(std::string_view text, std::size_t at_once) {
  std::vector<std::string> events;
  const auto keep = [&](std::string_view data) {
    events.emplace_back(data);
    return data != "[DONE]";
  };
  agentd::openai::SseParser parser;
  for (; !text.empty(); text.remove_prefix(std::min(at_once, text.size())))
    if (!parser.feed(text.substr(0, at_once), keep)) return events;
  parser.finish(keep);
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  if (events_of(text, data[0] % 17 + 1) != events_of(text, text.size() + 1)) std::abort();
  return 0;
}
