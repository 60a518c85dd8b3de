// A mutex that Clang's -Wthread-safety understands, and the words to say what it guards.
#pragma once
#include <mutex>

#if defined(__clang__)
#define AGENTD_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define AGENTD_THREAD_ATTRIBUTE(x)
#endif
#define AGENTD_GUARDED_BY(m) AGENTD_THREAD_ATTRIBUTE(guarded_by(m))
#define AGENTD_REQUIRES(m) AGENTD_THREAD_ATTRIBUTE(requires_capability(m))
#define AGENTD_EXCLUDES(m) AGENTD_THREAD_ATTRIBUTE(locks_excluded(m))

namespace agentd {

class AGENTD_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() AGENTD_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() AGENTD_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class AGENTD_THREAD_ATTRIBUTE(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) AGENTD_THREAD_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) { mutex_.lock(); }
  ~Lock() AGENTD_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace agentd
