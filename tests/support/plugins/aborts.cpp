// Ends its process while its toolset is made.
#include <agentd/sdk/toolset.hpp>
#include <cstdlib>
using namespace agentd::sdk;

struct Aborting : Toolset {
  explicit Aborting(const Config&) { std::abort(); }
};
AGENTD_PLUGIN("aborts", "1", provides<Aborting>("aborts"))
