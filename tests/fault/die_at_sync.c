/* Preloaded into a host: ends the process at once, as kill -9 would, around the nth sync of its ledger.
 *   DIE_AT_SYNC=n  DIE_WHEN=before|after   counted over fsync and fdatasync of files named ledger.db*
 *   DIE_ARMED=FILE                         from when this file is there: what was synced before does not count
 *   DIE_COUNT=FILE                         the count of all so far, written there after each sync */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int syncs, armed_syncs;

static int is_armed(void) {
  const char* file = getenv("DIE_ARMED");
  return !file || access(file, F_OK) == 0;
}

static int is_ledger(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return strstr(path, "/ledger.db") != NULL;
}

static void die(void) { kill(getpid(), SIGKILL); }

static int sync_file(int fd, const char* name) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  if (!is_ledger(fd)) return real(fd);
  const int n = ++syncs;
  const char* at = getenv("DIE_AT_SYNC");
  const char* when = getenv("DIE_WHEN");
  const int mine = at && is_armed() && atoi(at) == ++armed_syncs;
  if (mine && when && strcmp(when, "before") == 0) die();
  const int result = real(fd);
  if (mine) die();
  const char* count = getenv("DIE_COUNT");
  if (count) {
    char text[16];
    const int length = snprintf(text, sizeof text, "%d\n", n);
    const int out = open(count, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (out < 0 || write(out, text, (size_t)length) != length) abort();
    close(out);
  }
  return result;
}

int fdatasync(int fd) { return sync_file(fd, "fdatasync"); }
int fsync(int fd) { return sync_file(fd, "fsync"); }
