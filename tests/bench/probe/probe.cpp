// A tool that answers at once, with an answer as long as a real one.
#include <agentd/sdk/toolset.hpp>

#include <cstdint>

using namespace agentd::sdk;

namespace {

struct Memory {
  std::int64_t total_bytes = 8326742016, available_bytes = 7016742912, used_bytes = 1309999104;
  double used_percent = 15.7;
  std::int64_t swap_total_bytes = 0, swap_used_bytes = 0;
  AGENTD_FIELDS(total_bytes, available_bytes, used_bytes, used_percent, swap_total_bytes, swap_used_bytes)
};

struct Probe final : Toolset {
  static constexpr bool concurrent = true;
  explicit Probe(const Config&) {
    add("memory", "Memory and swap in use", Effect::pure, [] { return Memory(); });
  }
};

}  // namespace

AGENTD_PLUGIN("probe", "1.0.0", provides<Probe>("probe", "Answers at once"))
