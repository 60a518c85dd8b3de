// Server-sent events, however the bytes are cut: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
// Only data matters here; names, ids and comments are passed over.
#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace agentd::openai {

class SseParser {
 public:
  static constexpr std::size_t kMaxEventBytes = 8u << 20;

  // Calls event(std::string_view data) for every event that is complete now; it returns false to stop. False when it did, or when an
  // event is longer than the bound.
  template <class F>
  bool feed(std::string_view bytes, F&& event) {
    while (const auto line = take_line(bytes))
      if (!end_line(*line, event)) return false;
    return line_.size() <= kMaxEventBytes;
  }
  // The stream has ended: an event that only lacks its empty line counts.
  template <class F>
  bool finish(F&& event) {
    if (!line_.empty() && !end_line(line_, event)) return false;
    return end_line({}, event);
  }

 private:
  // The next line that is complete, without its end; what is left of the bytes is kept for the line that they begin.
  std::optional<std::string_view> take_line(std::string_view& bytes) {
    if (!bytes.empty() && std::exchange(skip_line_feed_, false) && bytes.front() == '\n') bytes.remove_prefix(1);  // of a CR LF that was cut in two
    const auto line_feed = bytes.find('\n');
    const auto end = std::min(bytes.substr(0, line_feed).find('\r'), line_feed);
    std::string_view line = bytes.substr(0, end);
    if (end == bytes.npos || !line_.empty()) line = line_.append(line);
    if (end == bytes.npos) {
      bytes = {};
      return std::nullopt;
    }
    skip_line_feed_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    return line;
  }
  template <class F>
  bool end_line(std::string_view line, F& event) {
    const bool dispatch = line.empty() && has_data_;
    if (dispatch) {
      const bool go_on = event(std::string_view(data_));
      data_.clear();
      has_data_ = false;
      return go_on;
    }
    take_field(line);
    line_.clear();
    return data_.size() <= kMaxEventBytes;
  }
  void take_field(std::string_view line);

  std::string line_, data_;
  bool has_data_ = false, skip_line_feed_ = false, begun_ = false;
};

}  // namespace agentd::openai
