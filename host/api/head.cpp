#include "host/api/head.hpp"

#include <algorithm>

namespace agentd::api {
namespace {

constexpr std::size_t kEnd = 4;  // CR LF CR LF

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is(std::string_view text, std::string_view lower_case) { return std::ranges::equal(text, lower_case, {}, lower); }

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// What of the fields decides for whom a request is and where it ends.
struct Framing {
  int hosts = 0, lengths = 0, codings = 0;
  bool chunked = true, counted = true;
  void see(std::string_view line) {
    const auto name = line.substr(0, line.find(':'));
    if (is(name, "host")) ++hosts;
    const auto value = trimmed(line.substr(std::min(name.size() + 1, line.size())));
    if (is(name, "content-length")) {
      ++lengths;
      counted = counted && is_number(value);
    }
    if (!is(name, "transfer-encoding")) return;
    ++codings;
    chunked = chunked && is(value, "chunked");
  }
};

std::optional<Refused> judge(const Framing& framing, std::string_view request_line) {
  if (framing.hosts == 0) return Refused{400, "a request needs a Host header"};
  if (framing.hosts > 1) return Refused{400, "a request has one Host header, this one has " + std::to_string(framing.hosts)};
  if (framing.lengths > 1)
    return Refused{400, "a request has one Content-Length, this one has " + std::to_string(framing.lengths)};
  if (!framing.counted) return Refused{400, "a Content-Length is one number of bytes"};
  if (framing.codings == 0) return std::nullopt;
  if (framing.lengths > 0) return Refused{400, "a request has a Content-Length or a Transfer-Encoding, not both"};
  if (framing.codings > 1)
    return Refused{400, "a request has one Transfer-Encoding, this one has " + std::to_string(framing.codings)};
  if (request_line.ends_with("HTTP/1.0")) return Refused{400, "HTTP/1.0 knows no Transfer-Encoding"};
  if (!framing.chunked) return Refused{501, "a Transfer-Encoding other than chunked is not supported yet"};
  return std::nullopt;
}

}  // namespace

std::string in_small_letters(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = lower(c);
  return out;
}

std::expected<std::optional<std::size_t>, Refused> end_of_head(std::string_view bytes, HeadLimits limits) {
  const auto longest_line = std::min(limits.line_bytes, limits.bytes);
  if (std::min(bytes.find('\n'), bytes.size()) > longest_line)
    return std::unexpected(Refused{414, "a request's first line may have " + std::to_string(longest_line) + " bytes"});
  const auto end = bytes.find("\r\n\r\n");
  const auto least = end == bytes.npos && bytes.size() > kEnd - 1 ? bytes.size() - (kEnd - 1) : std::min(end, bytes.size());  // the end may have begun
  if (least > limits.bytes)
    return std::unexpected(Refused{431, "a request's headers may have " + std::to_string(limits.bytes) + " bytes"});
  const auto whole = end == bytes.npos ? bytes : bytes.substr(0, end);
  for (auto at = whole.find('\n'); at != whole.npos; at = whole.find('\n', at + 1))
    if (at == 0 || whole[at - 1] != '\r') return std::unexpected(Refused{400, "lines of a request's head end with CR LF"});
  if (end == bytes.npos) return std::nullopt;
  return end + kEnd;
}

std::optional<Refused> judge_head(std::string_view head) {
  const auto request_line = head.substr(0, head.find("\r\n"));
  Framing framing;
  std::string_view line = request_line;
  for (auto rest = head; !line.empty();) {
    if (line.find('\0') != line.npos || line.find('\r') != line.npos)
      return Refused{400, "a request's head has a byte that no line may have"};
    rest.remove_prefix(line.size() + 2);
    if (rest.starts_with(' ') || rest.starts_with('\t'))
      return Refused{400, "a header that goes on in the next line is refused; write it in one"};
    line = rest.substr(0, rest.find("\r\n"));
    if (!line.empty() && line.find(':') == line.npos) return Refused{400, "a header without a colon is none"};
    framing.see(line);
  }
  return judge(framing, request_line);
}

}  // namespace agentd::api
