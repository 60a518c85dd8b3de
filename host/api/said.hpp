// What a person says with a click: {"by", "reason", ...}, each a string that may be left out, as may the body.
#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "host/api/message.hpp"

namespace agentd::api {

struct Sayable {
  const char* member;
  std::size_t longest;   // bytes
  bool is_name = false;  // of somebody: no control characters in it
};
inline constexpr Sayable kBy{"by", 256, true};
inline constexpr Sayable kReason{"reason", 4096};

// Every member, empty where it was not said; or a problem that tells everything that is wrong at once.
// Who said it is whoever's token came with it, and who they say they are besides.
using Said = std::map<std::string, std::string>;
std::string signed_by(const Request& request, std::string by);
std::variant<Said, Document> read_said(const Request& request, std::span<const Sayable> members);

// What is wrong with a body where nothing can be said; nothing: it says nothing.
std::optional<Document> read_nothing(const Request& request);

}  // namespace agentd::api
