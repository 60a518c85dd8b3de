// A request's head as bytes, judged before it is parsed: what two readers could understand differently is refused (RFC
// 9112, 5.2, 6.3 and 11.2), so that no proxy before us and we ourselves can disagree about where a request ends or whom it is
// for.
#pragma once
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace agentd::api {

struct HeadLimits {
  std::size_t line_bytes = 8 << 10;  // of the request line
  std::size_t bytes = 16 << 10;      // of all
};

// Why a request is not answered. Its connection is closed: where the next one begins is not certain.
struct Refused {
  int status;
  std::string detail;
};

// How many bytes the head at the beginning of `bytes` has; nothing while more of it must come.
std::expected<std::optional<std::size_t>, Refused> end_of_head(std::string_view bytes, HeadLimits limits);

// Names and hosts are compared without regard to case, ASCII only.
std::string in_small_letters(std::string_view text);

// A whole head, with the empty line at its end.
std::optional<Refused> judge_head(std::string_view head);

}  // namespace agentd::api
