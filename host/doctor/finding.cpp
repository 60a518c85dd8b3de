#include "host/doctor/finding.hpp"

namespace agentd::doctor {

const char* name(State state) {
  switch (state) {
    case State::ok: return "ok";
    case State::warning: return "warning";
    case State::failed: return "failed";
  }
  return "failed";
}

}  // namespace agentd::doctor
