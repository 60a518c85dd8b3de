#pragma once

namespace agentd::host {

// From now on a process that finds no memory says so before it dies. The whole process.
void tell_when_memory_is_out();

}  // namespace agentd::host
