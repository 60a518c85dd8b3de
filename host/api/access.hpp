// Who may ask for what: bearer tokens, each with a role.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agentd::api {

// Each may do what those before it may. none: what nobody has to show a token for.
enum class Role : std::uint8_t { none, metrics, viewer, operator_, admin };

std::string_view name(Role role);                      // "operator"
std::optional<Role> role_named(std::string_view name);  // not "none"

// Keeps digests of tokens, never a token.
class Access {
 public:
  static constexpr std::size_t kShortestToken = 16;

  struct Caller {
    std::string name;
    Role role = Role::none;
  };

  // An error says why this one is no token: it is short, or another caller's too.
  std::optional<std::string> add(Caller caller, std::string_view token);

  // Without tokens everybody may ask for everything: the API listens on loopback then.
  bool is_open() const { return known_.empty(); }

  using Digest = std::array<unsigned char, 32>;
  // Of the token that the value of an Authorization header shows.
  static Digest shown(std::string_view authorization);
  // Whose token that is; null: nobody's. Takes as long whichever it is, and however near it comes.
  const Caller* caller(const Digest& shown) const;
  const Caller* caller(std::string_view authorization) const { return caller(shown(authorization)); }

 private:
  struct Known {
    Caller caller;
    Digest digest;
  };
  static Digest digest_of(std::string_view token);
  std::vector<Known> known_;
};

}  // namespace agentd::api
