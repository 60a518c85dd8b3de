#include "tests/sim/disk.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "tests/sim/dice.hpp"

namespace agentd::sim {
namespace {

constexpr std::size_t kSector = 512;

}  // namespace

// The index of a write-ahead log, which the connections of one process share and which dies with it.
struct Disk::Shared {
  std::vector<std::unique_ptr<char[]>> regions;
  std::array<int, SQLITE_SHM_NLOCK> readers{};
  std::array<const Handle*, SQLITE_SHM_NLOCK> writer{};
};

struct Disk::Content {
  // What a write or truncation replaced.
  struct Before {
    std::size_t offset, size;
    std::string bytes;
  };
  std::string bytes;
  std::vector<Before> unsynced;
  std::shared_ptr<Shared> shared;  // with the handles of its process
  std::map<const Handle*, int> locks;

  void remember(std::size_t offset, std::size_t amount) {
    const auto there = std::min(bytes.size() - std::min(bytes.size(), offset), amount);
    unsynced.push_back({offset, bytes.size(), there ? bytes.substr(offset, there) : std::string()});
  }
  void write(std::size_t offset, std::string_view data) {
    if (offset == bytes.size()) {
      bytes.append(data);
      return;
    }
    if (offset + data.size() > bytes.size()) bytes.resize(offset + data.size());
    std::memcpy(bytes.data() + offset, data.data(), data.size());
  }
  void lose(bool last_too, std::uint64_t chance) {
    std::string kept;
    std::size_t kept_at = 0;
    if (!last_too && !unsynced.empty() && unsynced.back().offset < bytes.size()) {
      kept_at = unsynced.back().offset;
      const auto sectors = (bytes.size() - kept_at + kSector - 1) / kSector;
      kept = bytes.substr(kept_at, (1 + chance % sectors) * kSector);
    }
    for (auto it = unsynced.rbegin(); it != unsynced.rend(); ++it) {
      bytes.resize(std::max(it->size, it->offset + it->bytes.size()));
      if (!it->bytes.empty()) std::memcpy(bytes.data() + it->offset, it->bytes.data(), it->bytes.size());
      bytes.resize(it->size);
    }
    if (!kept.empty()) write(kept_at, kept);
    unsynced.clear();
  }
};

struct Disk::Handle {
  sqlite3_file base;
  Disk* disk;
  std::uint64_t process;
  std::shared_ptr<Content> content;
  std::shared_ptr<Shared> shared;
  bool anonymous;
  unsigned reading = 0, writing = 0;  // its locks of the index
  static Handle& of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }
  bool alive() const { return process == disk->process_ && !disk->cut_; }
};

// The hook may end the process.
int Disk::begin(Operation operation) {
  if (before)
    if (const int code = before(operation)) return code;
  return full && operation == Operation::write ? SQLITE_FULL : SQLITE_OK;
}

int Disk::turn(Handle& file, Operation operation) {
  if (file.anonymous) return SQLITE_OK;
  if (!file.alive()) return SQLITE_IOERR;
  return begin(operation);
}

struct Disk::Methods {
  static Disk& disk(sqlite3_vfs* vfs) { return *static_cast<Disk*>(vfs->pAppData); }

  // ---- a file
  static int close(sqlite3_file* f) {
    auto& file = Handle::of(f);
    unlock(f, SQLITE_LOCK_NONE);
    shm_unmap(f, 0);
    file.~Handle();
    return SQLITE_OK;
  }
  static int read(sqlite3_file* f, void* data, int amount, sqlite3_int64 at) {
    auto& file = Handle::of(f);
    if (!file.anonymous && !file.alive()) return SQLITE_IOERR_READ;
    const auto& bytes = file.content->bytes;
    const auto offset = std::min(static_cast<std::size_t>(at), bytes.size());
    const auto there = std::min(bytes.size() - offset, static_cast<std::size_t>(amount));
    std::memcpy(data, bytes.data() + offset, there);
    if (there == static_cast<std::size_t>(amount)) return SQLITE_OK;
    std::memset(static_cast<char*>(data) + there, 0, static_cast<std::size_t>(amount) - there);
    return SQLITE_IOERR_SHORT_READ;
  }
  static int write(sqlite3_file* f, const void* data, int amount, sqlite3_int64 at) {
    auto& file = Handle::of(f);
    if (const int code = file.disk->turn(file, Operation::write)) return code == SQLITE_IOERR ? SQLITE_IOERR_WRITE : code;
    const auto offset = static_cast<std::size_t>(at), size = static_cast<std::size_t>(amount);
    if (!file.anonymous) file.content->remember(offset, size);
    file.content->write(offset, {static_cast<const char*>(data), size});
    return SQLITE_OK;
  }
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    auto& file = Handle::of(f);
    if (const int code = file.disk->turn(file, Operation::truncate)) return code == SQLITE_IOERR ? SQLITE_IOERR_TRUNCATE : code;
    if (!file.anonymous) file.content->remember(static_cast<std::size_t>(size), file.content->bytes.size());
    file.content->bytes.resize(static_cast<std::size_t>(size));
    return SQLITE_OK;
  }
  // A sync that fails ends the process that asked for it before it hears of it.
  static int sync(sqlite3_file* f, int) {
    auto& file = Handle::of(f);
    if (file.anonymous || !file.alive()) return SQLITE_OK;
    if (file.disk->begin(Operation::sync) != SQLITE_OK || !file.alive()) return SQLITE_OK;
    file.content->unsynced.clear();
    return SQLITE_OK;
  }
  static int file_size(sqlite3_file* f, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(Handle::of(f).content->bytes.size());
    return SQLITE_OK;
  }
  static int lock(sqlite3_file* f, int level) {
    auto& file = Handle::of(f);
    auto& locks = file.content->locks;
    int highest = SQLITE_LOCK_NONE;
    for (const auto& [other, held] : locks)
      if (other != &file) highest = std::max(highest, held);
    const bool free = level == SQLITE_LOCK_SHARED     ? highest < SQLITE_LOCK_PENDING
                      : level == SQLITE_LOCK_RESERVED ? highest < SQLITE_LOCK_RESERVED
                                                      : highest == SQLITE_LOCK_NONE;
    if (!free) return SQLITE_BUSY;
    locks[&file] = std::max(locks[&file], level);
    return SQLITE_OK;
  }
  static int unlock(sqlite3_file* f, int level) {
    auto& file = Handle::of(f);
    if (level == SQLITE_LOCK_NONE)
      file.content->locks.erase(&file);
    else
      file.content->locks[&file] = level;
    return SQLITE_OK;
  }
  static int check_reserved(sqlite3_file* f, int* out) {
    *out =
        std::ranges::any_of(Handle::of(f).content->locks, [](const auto& lock) { return lock.second >= SQLITE_LOCK_RESERVED; });
    return SQLITE_OK;
  }
  static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return 4096; }
  static int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  // ---- its index
  static int shm_map(sqlite3_file* f, int region, int size, int extend, void volatile** out) {
    auto& file = Handle::of(f);
    if (!file.shared) {
      if (!file.content->shared) file.content->shared = std::make_shared<Shared>();
      file.shared = file.content->shared;
    }
    auto& regions = file.shared->regions;
    while (extend && regions.size() <= static_cast<std::size_t>(region))
      regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
    *out = static_cast<std::size_t>(region) < regions.size() ? regions[static_cast<std::size_t>(region)].get() : nullptr;
    return SQLITE_OK;
  }
  static int shm_lock(sqlite3_file* f, int first, int count, int flags) {
    auto& file = Handle::of(f);
    auto& shared = *file.shared;
    const unsigned mask = ((1u << count) - 1) << first;
    const auto each = [&](auto what) {
      for (int slot = first; slot < first + count; ++slot) what(static_cast<std::size_t>(slot));
    };
    if (flags & SQLITE_SHM_UNLOCK) {
      each([&](std::size_t slot) {
        if (file.reading >> slot & 1) --shared.readers[slot];
        if (shared.writer[slot] == &file) shared.writer[slot] = nullptr;
      });
      file.reading &= ~mask, file.writing &= ~mask;
      return SQLITE_OK;
    }
    const bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;
    bool free = !(exclusive && file.disk->locked && file.alive() && first == 0);
    each([&](std::size_t slot) {
      if (shared.writer[slot] && shared.writer[slot] != &file) free = false;
      if (exclusive && shared.readers[slot] > static_cast<int>(file.reading >> slot & 1)) free = false;
    });
    if (!free) return SQLITE_BUSY;
    each([&](std::size_t slot) {
      if (exclusive)
        shared.writer[slot] = &file;
      else if (!(file.reading >> slot & 1))
        ++shared.readers[slot];
    });
    (exclusive ? file.writing : file.reading) |= mask;
    return SQLITE_OK;
  }
  static void shm_barrier(sqlite3_file*) {}
  static int shm_unmap(sqlite3_file* f, int remove) {
    auto& file = Handle::of(f);
    if (!file.shared) return SQLITE_OK;
    shm_lock(f, 0, SQLITE_SHM_NLOCK, SQLITE_SHM_UNLOCK);
    if (remove && file.content->shared == file.shared) file.content->shared.reset();
    file.shared.reset();
    return SQLITE_OK;
  }

  // ---- the file system
  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* f, int flags, int* out);
  static int remove(sqlite3_vfs* vfs, const char* name, int) {
    auto& it = disk(vfs);
    if (it.cut_) return SQLITE_IOERR_DELETE;
    if (const int code = it.begin(Operation::remove)) return code == SQLITE_IOERR ? SQLITE_IOERR_DELETE : code;
    const auto found = it.files_.find(std::string_view(name));
    if (found == it.files_.end()) return SQLITE_IOERR_DELETE_NOENT;
    it.files_.erase(found);
    return SQLITE_OK;
  }
  static int access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
    const auto& files = disk(vfs).files_;
    const auto found = files.find(std::string_view(name));
    *out = found != files.end() &&
           (flags != SQLITE_ACCESS_EXISTS || !found->second->bytes.empty());  // as SQLite's own: an empty one is none
    return SQLITE_OK;
  }
  static int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
    std::strncpy(out, name, static_cast<std::size_t>(size));
    return SQLITE_OK;
  }
  static int randomness(sqlite3_vfs* vfs, int size, char* out) {
    Dice dice(disk(vfs).random_++);
    for (int i = 0; i < size; ++i) out[i] = static_cast<char>(dice.next());
    return size;
  }
  static int sleep(sqlite3_vfs*, int micros) { return micros; }  // nobody's lock is let go meanwhile
  static int now(sqlite3_vfs*, double* out) {
    *out = 2461042.5;
    return SQLITE_OK;
  }
  static int last_error(sqlite3_vfs*, int, char*) { return 0; }
};

int Disk::Methods::open(sqlite3_vfs* vfs, const char* name, sqlite3_file* f, int flags, int* out) {
  static constexpr sqlite3_io_methods kMethods = {
      2,           close,           read,    write,    truncate,    sync,      file_size, lock,   unlock, check_reserved, control,
      sector_size, characteristics, shm_map, shm_lock, shm_barrier, shm_unmap, nullptr,   nullptr};
  auto& it = disk(vfs);
  f->pMethods = nullptr;
  if (it.cut_) return SQLITE_CANTOPEN;
  std::shared_ptr<Content> content;
  if (!name) {
    content = std::make_shared<Content>();
  } else {
    const auto found = it.files_.find(std::string_view(name));
    if (found == it.files_.end() && !(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
    content = found == it.files_.end() ? it.files_.emplace(name, std::make_shared<Content>()).first->second : found->second;
  }
  auto* file = new (f) Handle{};
  file->base.pMethods = &kMethods;
  file->disk = &it;
  file->process = it.process_;
  file->content = std::move(content);
  file->anonymous = name == nullptr;
  if (out) *out = flags;
  return SQLITE_OK;
}

Disk::Disk() {
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(Handle);
  vfs_.mxPathname = 512;
  vfs_.zName = "memory disk";
  vfs_.pAppData = this;
  vfs_.xOpen = Methods::open;
  vfs_.xDelete = Methods::remove;
  vfs_.xAccess = Methods::access;
  vfs_.xFullPathname = Methods::full_path;
  vfs_.xRandomness = Methods::randomness;
  vfs_.xSleep = Methods::sleep;
  vfs_.xCurrentTime = Methods::now;
  vfs_.xGetLastError = Methods::last_error;
  sqlite3_vfs_register(&vfs_, 1);
}

Disk::~Disk() { sqlite3_vfs_unregister(&vfs_); }

void Disk::format(std::uint64_t seed) {
  files_.clear();
  full = locked = cut_ = false;
  ++process_;
  random_ = seed;
  sqlite3_randomness(0, nullptr);  // SQLite's own chance begins anew from this disk's
}

std::size_t Disk::size_of(std::string_view ending) const {
  std::size_t bytes = 0;
  for (const auto& [name, content] : files_)
    if (name.ends_with(ending)) bytes += content->bytes.size();
  return bytes;
}

void Disk::cut(Loss loss, std::uint64_t chance) {
  cut_ = true;
  ++process_;
  for (auto& [name, content] : files_) {
    content->shared.reset();
    content->locks.clear();
    if (loss != Loss::nothing) content->lose(loss == Loss::unsynced, chance);
  }
}

}  // namespace agentd::sim
