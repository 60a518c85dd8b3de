// What a server is asked: words of any bytes, as its protocol writes them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace agentd::redis {

// Lua that runs within the server. It is asked for by its digest, and sent as a whole to a server that has not seen it.
struct Script {
  explicit Script(std::string its_text);
  const std::string text, digest;
};

class Command {
 public:
  template <class... Words>
  explicit Command(std::string_view name, const Words&... words) {
    add(name);
    (add(words), ...);
  }
  // The script outlives it.
  template <class... Words>
  Command(const Script& script, std::string_view key, const Words&... words) : script_(&script) {
    add(1).add(key);
    (add(words), ...);
  }
  Command& add(std::string_view word);
  Command& add(std::int64_t number) { return add(std::string_view(std::to_string(number))); }
  Command& add(std::uint64_t number) { return add(std::string_view(std::to_string(number))); }
  Command& add(int number) { return add(static_cast<std::int64_t>(number)); }

  // As it is sent: the one, then the other.
  std::string head(bool whole_script) const;
  const std::string& body() const { return body_; }
  bool has_script() const { return script_ != nullptr; }

 private:
  const Script* script_ = nullptr;
  std::size_t words_ = 0;
  std::string body_;
};

}  // namespace agentd::redis
