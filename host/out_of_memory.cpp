#include "host/out_of_memory.hpp"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <string_view>

// mimalloc's, where that is the allocator: as a library of C it does not know the handler of C++, and ends the process without a
// word.
extern "C" __attribute__((weak)) void mi_register_error(void (*told)(int error, void* context), void* context);

namespace agentd::host {
namespace {

// It needs no memory. Once: who can do without what was refused may ask often.
void tell() {
  static std::atomic_flag told;
  constexpr std::string_view kWords =
      "agentd: out of memory; if that ends the process, the next start goes on from what the ledger has\n";
  if (!told.test_and_set()) (void)!::write(STDERR_FILENO, kWords.data(), kWords.size());
}

[[noreturn]] void die() {
  tell();
  std::abort();
}

void hear_of(int error, void*) {
  if (error == ENOMEM) tell();
}

}  // namespace

void tell_when_memory_is_out() {
  std::set_new_handler(die);
  if (mi_register_error) mi_register_error(hear_of, nullptr);
}

}  // namespace agentd::host
