#include "host/streams.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "host/cli/command.hpp"

namespace agentd::host {
namespace {

bool has_left(int reader) {
  pollfd asked{.fd = reader, .events = 0, .revents = 0};
  return ::poll(&asked, 1, 0) == 1 && (asked.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

void open_missing_streams() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(number, F_GETFD) < 0) (void)::open("/dev/null", O_RDONLY);  // the lowest number that is free is this one
}

int finish_output(std::ostream& out, int descriptor, std::ostream& err, int code) {
  out.flush();
  if (out.good() || has_left(descriptor)) return code;
  err << "agentd: what there was to say could not be written to standard output\n";
  return code == cli::kDone ? cli::kFailed : code;
}

}  // namespace agentd::host
