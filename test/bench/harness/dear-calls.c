/*
 * Adds CALL_NS nanoseconds of processor time to each system call that moves data or waits for it: what such a call costs in
 * sandboxes and under some hypervisors. For LD_PRELOAD; see dear-calls.mjs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}

static void spend(void) {
  static long price = -1;
  if (price < 0) {
    const char *text = getenv("CALL_NS");
    price = text ? atol(text) : 0;
  }
  for (long end = nanoseconds() + price; nanoseconds() < end;) {
  }
}

#define DEAR(result, name, parameters, arguments) \
  result name parameters {                        \
    static result(*real) parameters;              \
    if (!real) real = dlsym(RTLD_NEXT, #name);    \
    spend();                                      \
    return real arguments;                        \
  }

DEAR(ssize_t, read, (int file, void *bytes, size_t size), (file, bytes, size))
DEAR(ssize_t, write, (int file, const void *bytes, size_t size), (file, bytes, size))
DEAR(ssize_t, writev, (int file, const struct iovec *parts, int count), (file, parts, count))
DEAR(int, epoll_wait, (int poll, struct epoll_event *events, int size, int ms), (poll, events, size, ms))
DEAR(int, epoll_pwait, (int poll, struct epoll_event *events, int size, int ms, const sigset_t *mask),
     (poll, events, size, ms, mask))
