// Standard input, output and error of a process.
#pragma once
#include <ostream>

namespace agentd::host {

// A process may be started without one, and then the next file that it opens takes that one's number. Afterwards all are there;
// reading from what was missing gives nothing, and writing to it fails.
void open_missing_streams();

// Writes out what a command printed, and answers its exit code: a failure if that is lost. A reader that has left, as head does,
// has had what it wanted.
int finish_output(std::ostream& out, int descriptor, std::ostream& err, int code);

}  // namespace agentd::host
