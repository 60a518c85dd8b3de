#include "host/out_of_memory.hpp"

#include <unistd.h>

#include <cstdlib>
#include <new>
#include <string_view>

namespace agentd::host {
namespace {

[[noreturn]] void die() {
  constexpr std::string_view kWords = "agentd: out of memory; the process ends. What is in the ledger is safe, and the next start goes on from there\n";
  (void)!::write(STDERR_FILENO, kWords.data(), kWords.size());  // it needs no memory
  std::abort();
}

}  // namespace

void tell_when_memory_is_out() { std::set_new_handler(die); }

}  // namespace agentd::host
