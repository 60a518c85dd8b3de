#include "core/manifest/config_check.hpp"

#include <charconv>

#include "core/manifest/nearest.hpp"

namespace agentd::manifest {
namespace {

struct Address {
  std::string_view host;
  int port = -1;
};

// "127.0.0.1:8765", "[::1]:8765", "localhost:0".
std::optional<Address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  Address out{text.substr(0, colon), -1};
  const auto digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (error != std::errc() || end != digits.data() + digits.size() || out.port < 0 || out.port > 65535) return std::nullopt;
  const bool bracketed = out.host.starts_with('[') && out.host.ends_with(']');
  if (!bracketed && out.host.find(':') != std::string_view::npos) return std::nullopt;
  return out;
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

class ConfigCheck {
 public:
  ConfigCheck(Reader& reader, const HostConfig& config, const Tree& tree) : reader_(reader), config_(config), tree_(tree) {}

  void run() {
    listen();
    store(config_.ledger.store, {"ledger", "store"});
    store(config_.memory.store, {"memory", "store"});
    for (const auto& name : config_.events.stores) store(name, {"events", "stores"});
    embedding();
  }

 private:
  void problem(std::initializer_list<std::string_view> path, std::string message) {
    const auto* found = find(tree_, std::span(path.begin(), path.size()));
    reader_.problem(found ? found->value.place : place_of(tree_, std::span(path.begin(), path.size())), std::move(message));
  }

  void listen() {
    const auto address = parse_address(config_.api.listen);
    if (!address) problem({"api", "listen"}, "\"listen\" must be ADDRESS:PORT like \"127.0.0.1:8765\" or \"[::1]:8765\", its port at most 65535");
    else if (!is_loopback(address->host) && config_.api.tokens.empty()) problem({"api", "listen"}, "an address that others reach takes [api] tokens; without them listen on 127.0.0.1");
  }

  void store(const std::string& name, std::initializer_list<std::string_view> path) {
    if (config_.stores.contains(name)) return;
    std::vector<std::string> names;
    for (const auto& [known, entry] : config_.stores) names.push_back(known);
    problem(path, "no store " + quote(name) + ": there is no [stores." + name + "]" + did_you_mean(name, names));
  }

  void embedding() {
    const auto& name = config_.embedding.provider;
    if (name.empty() || config_.providers.contains(name)) return;
    std::vector<std::string> names;
    for (const auto& [known, entry] : config_.providers) names.push_back(known);
    problem({"embedding", "provider"}, "no provider " + quote(name) + ": there is no [providers." + name + "]" + did_you_mean(name, names));
  }

  Reader& reader_;
  const HostConfig& config_;
  const Tree& tree_;
};

}  // namespace

void check_config(Reader& reader, const HostConfig& config, const Tree& tree) { ConfigCheck(reader, config, tree).run(); }

}  // namespace agentd::manifest
