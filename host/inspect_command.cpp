// `agentd plugins inspect`: the file is mapped in the runner, never here.
#include <ostream>

#include "host/commands.hpp"

namespace agentd::host {

int perform(const cli::PluginsInspect&, const cli::Output& to) {
  to.err << "agentd plugins inspect: not supported yet\n";
  return cli::kUsage;
}

}  // namespace agentd::host
