#include "tests/conformance/faulty_names.hpp"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace agentd::conformance {
namespace {

struct Change {
  std::string from, to, replaced;  // no from: a link
};

struct Names {
  Fault fault;
  std::filesystem::path replaced;
  int count = 0;
  bool armed = false;
  std::vector<Change> unsynced;
};
Names& names() {
  static Names it;
  return it;
}

template <class F>
F* real(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}
const auto real_rename = real<int(const char*, const char*)>("rename");
const auto real_link = real<int(const char*, const char*)>("link");
const auto real_fsync = real<int(int)>("fsync");

void undo(const Change& change) {
  if (change.from.empty()) ::unlink(change.to.c_str());
  else real_rename(change.to.c_str(), change.from.c_str());
  if (!change.replaced.empty()) real_link(change.replaced.c_str(), change.to.c_str());
}

void turn() {
  auto& n = names();
  if (!n.armed || ++n.count != n.fault.at || n.fault.kind == Fault::Kind::none) return;
  if (n.fault.kind == Fault::Kind::power_loss_torn && !n.unsynced.empty()) n.unsynced.pop_back();
  if (n.fault.kind != Fault::Kind::death)
    for (auto change = n.unsynced.rbegin(); change != n.unsynced.rend(); ++change) undo(*change);
  ::_exit(kDied);
}

void did(Change change) {
  if (names().armed) names().unsynced.push_back(std::move(change));
}

std::string keep_replaced(const char* to) {
  auto& n = names();
  const auto kept = (n.replaced / std::to_string(n.count)).string();
  return n.armed && real_link(to, kept.c_str()) == 0 ? kept : "";
}

}  // namespace

void arm_names(Fault fault, std::filesystem::path replaced) { names() = {fault, std::move(replaced), 0, true, {}}; }
int name_operations() { return names().count; }

}  // namespace agentd::conformance

extern "C" {

int rename(const char* from, const char* to) noexcept {
  using namespace agentd::conformance;
  turn();
  auto kept = keep_replaced(to);
  const int code = real_rename(from, to);
  if (code == 0) did({from, to, std::move(kept)});
  return code;
}

int link(const char* from, const char* to) noexcept {
  using namespace agentd::conformance;
  turn();
  const int code = real_link(from, to);
  if (code == 0) did({"", to, ""});
  return code;
}

int fsync(int fd) {
  using namespace agentd::conformance;
  turn();
  struct stat file {};
  if (::fstat(fd, &file) == 0 && S_ISDIR(file.st_mode)) names().unsynced.clear();
  return real_fsync(fd);
}
}
