// A reader-writer lock in which a waiting writer is not starved by a stream of readers.
#pragma once
#include <pthread.h>
#include <time.h>

#include "core/interrupt.h"

namespace hornbeam {

class RwLock {
 public:
  RwLock() {
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
#ifdef __GLIBC__
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    pthread_rwlock_init(&lock_, &attr);
    pthread_rwlockattr_destroy(&attr);
  }
  ~RwLock() { pthread_rwlock_destroy(&lock_); }
  RwLock(const RwLock&) = delete;
  RwLock& operator=(const RwLock&) = delete;

  // While one of these lives, the lock is held.
  class Guard {
   public:
    Guard(RwLock& lock, bool exclusive) : lock_(lock) { lock_.lock(exclusive); }
    ~Guard() { lock_.unlock(); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    RwLock& lock_;
  };

  // Throws Interrupted where the thread's run is to end, however long others hold the lock.
  void lock(bool exclusive) {
#ifdef __linux__
    while (Interruptible::current()) {
      if (lock_within(exclusive, 50'000'000)) return;
      interruption_point();
    }
#endif
    exclusive ? pthread_rwlock_wrlock(&lock_) : pthread_rwlock_rdlock(&lock_);
  }
  bool try_lock(bool exclusive) {
    return (exclusive ? pthread_rwlock_trywrlock(&lock_) : pthread_rwlock_tryrdlock(&lock_)) == 0;
  }
  void unlock() { pthread_rwlock_unlock(&lock_); }

 private:
#ifdef __linux__
  bool lock_within(bool exclusive, long nanoseconds) {
    timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += nanoseconds;
    end.tv_sec += end.tv_nsec / 1'000'000'000;
    end.tv_nsec %= 1'000'000'000;
    return (exclusive ? pthread_rwlock_timedwrlock(&lock_, &end) : pthread_rwlock_timedrdlock(&lock_, &end)) == 0;
  }
#endif

  pthread_rwlock_t lock_;
};

}  // namespace hornbeam
