#include "tests/conformance/faulty_vfs.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace agentd::conformance {
namespace {

struct File;

struct Machine {
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs shim{};
  Fault fault;
  int count = 0;
  std::vector<File*> open;
};
Machine& machine() {
  static Machine it;
  return it;
}

// What a write or truncation replaced.
struct Before {
  sqlite3_int64 offset;
  std::string bytes;
  sqlite3_int64 size;
};

struct File {
  sqlite3_file base;
  sqlite3_file* real;
  std::vector<Before>* unsynced;
};
File& of(sqlite3_file* f) { return *reinterpret_cast<File*>(f); }
sqlite3_file* real(sqlite3_file* f) { return of(f).real; }

void remember(File& file, sqlite3_int64 offset, sqlite3_int64 amount) {
  Before before{offset, {}, 0};
  file.real->pMethods->xFileSize(file.real, &before.size);
  const auto there = std::clamp<sqlite3_int64>(before.size - offset, 0, amount);
  before.bytes.resize(static_cast<std::size_t>(there));
  if (there > 0) file.real->pMethods->xRead(file.real, before.bytes.data(), static_cast<int>(there), offset);
  file.unsynced->push_back(std::move(before));
}

void lose_unsynced(bool all) {
  for (auto* file : machine().open) {
    auto& list = *file->unsynced;
    std::string kept;
    sqlite3_int64 kept_at = 0;
    if (!all && !list.empty()) {  // the latest write comes through, though those before it do not
      sqlite3_int64 size = 0;
      file->real->pMethods->xFileSize(file->real, &size);
      kept_at = list.back().offset;
      kept.resize(static_cast<std::size_t>(std::max<sqlite3_int64>(0, size - kept_at)));
      if (!kept.empty()) file->real->pMethods->xRead(file->real, kept.data(), static_cast<int>(kept.size()), kept_at);
    }
    for (auto before = list.rbegin(); before != list.rend(); ++before) {
      if (!before->bytes.empty()) file->real->pMethods->xWrite(file->real, before->bytes.data(), static_cast<int>(before->bytes.size()), before->offset);
      file->real->pMethods->xTruncate(file->real, before->size);
    }
    if (!kept.empty()) file->real->pMethods->xWrite(file->real, kept.data(), static_cast<int>(kept.size()), kept_at);
  }
}

// What this operation answers instead of being done; SQLITE_OK: do it.
int turn(int io_code) {
  auto& m = machine();
  ++m.count;
  if (m.fault.kind == Fault::Kind::stays_full && m.count >= m.fault.at && io_code != SQLITE_IOERR_FSYNC) return SQLITE_FULL;
  if (m.count != m.fault.at) return SQLITE_OK;
  switch (m.fault.kind) {
    case Fault::Kind::none:
    case Fault::Kind::stays_full: return SQLITE_OK;
    case Fault::Kind::io_error: return io_code;
    case Fault::Kind::disk_full: return io_code == SQLITE_IOERR_FSYNC ? SQLITE_OK : SQLITE_FULL;
    case Fault::Kind::death: break;
    case Fault::Kind::power_loss: lose_unsynced(true); break;
    case Fault::Kind::power_loss_torn: lose_unsynced(false); break;
  }
  ::_exit(kDied);
}

int x_close(sqlite3_file* f) {
  auto& file = of(f);
  std::erase(machine().open, &file);
  delete file.unsynced;
  return file.real->pMethods ? file.real->pMethods->xClose(file.real) : SQLITE_OK;
}
int x_write(sqlite3_file* f, const void* data, int amount, sqlite3_int64 offset) {
  if (const int code = turn(SQLITE_IOERR_WRITE)) return code;
  remember(of(f), offset, amount);
  return real(f)->pMethods->xWrite(real(f), data, amount, offset);
}
int x_truncate(sqlite3_file* f, sqlite3_int64 size) {
  if (const int code = turn(SQLITE_IOERR_TRUNCATE)) return code;
  remember(of(f), size, INT32_MAX);
  return real(f)->pMethods->xTruncate(real(f), size);
}
int x_sync(sqlite3_file* f, int) {
  if (const int code = turn(SQLITE_IOERR_FSYNC)) return code;
  of(f).unsynced->clear();
  return SQLITE_OK;
}
int x_read(sqlite3_file* f, void* data, int amount, sqlite3_int64 offset) { return real(f)->pMethods->xRead(real(f), data, amount, offset); }
int x_file_size(sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); }
int x_lock(sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); }
int x_unlock(sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
int x_check_reserved(sqlite3_file* f, int* out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
int x_file_control(sqlite3_file* f, int op, void* argument) { return real(f)->pMethods->xFileControl(real(f), op, argument); }
int x_sector_size(sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); }
int x_characteristics(sqlite3_file*) { return 0; }  // promises nothing that the model breaks
int x_shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) { return real(f)->pMethods->xShmMap(real(f), page, size, extend, out); }
int x_shm_lock(sqlite3_file* f, int offset, int n, int flags) { return real(f)->pMethods->xShmLock(real(f), offset, n, flags); }
void x_shm_barrier(sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); }
int x_shm_unmap(sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); }

constexpr sqlite3_io_methods kMethods = {2,         x_close,        x_read,        x_write,           x_truncate, x_sync,     x_file_size,   x_lock,      x_unlock, x_check_reserved,
                                         x_file_control, x_sector_size, x_characteristics, x_shm_map,  x_shm_lock, x_shm_barrier, x_shm_unmap, nullptr,  nullptr};

int x_open(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out) {
  auto& file = of(f);
  file.base.pMethods = nullptr;
  file.real = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(f) + sizeof(File));
  const int code = machine().real->xOpen(machine().real, name, file.real, flags, out);
  if (code != SQLITE_OK) return code;
  file.base.pMethods = &kMethods;
  file.unsynced = new std::vector<Before>;
  machine().open.push_back(&file);
  return SQLITE_OK;
}

void install() {
  auto& m = machine();
  if (m.real) return;
  m.real = sqlite3_vfs_find(nullptr);
  m.shim = *m.real;  // what is not about a file's content stays the real one's, which gets itself back as its own argument
  m.shim.pNext = nullptr;
  m.shim.zName = "faulty";
  m.shim.szOsFile = static_cast<int>(sizeof(File)) + m.real->szOsFile;
  m.shim.xOpen = x_open;
  sqlite3_vfs_register(&m.shim, 1);
}

}  // namespace

void arm(Fault fault) {
  install();
  machine().fault = fault;
  machine().count = 0;
}

int operations() { return machine().count; }

}  // namespace agentd::conformance
