/*
 * Makes time in a User Mode Linux kernel pass as fast as its tests ask: preloaded into it, this stands between the
 * kernel and the host's clock and timer, which are all that its clock source and its ticks are made of
 * (arch/um/os-Linux/time.c). The kernel itself lives through all the time, with every timer that it has set.
 *
 * The rate stands in the file that GUEST_CLOCK names, which the tests write: guest.py, class Clock.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000000000 };

/* From the moment host_ns of the host's clock, which was guest_ns here, time passes `rate` times as fast. */
struct pace {
    int64_t host_ns, guest_ns, rate;
};

struct clock {
    volatile int64_t current; /* which of the two holds; the other may be being written */
    struct pace paces[2];
};

static const struct clock as_the_host = { .paces = { { .rate = 1 } } };

static const struct clock *map_clock(void)
{
    const char *path = getenv("GUEST_CLOCK");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = fd >= 0 ? mmap(NULL, sizeof(struct clock), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    return mapped != MAP_FAILED ? mapped : &as_the_host;
}

static const struct clock *shared;

__attribute__((constructor)) static void find_clock(void)
{
    shared = map_clock();
}

static struct pace pace(void)
{
    return shared->paces[shared->current & 1];
}

int clock_gettime(clockid_t id, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, id, time);
    if (result == 0 && id == CLOCK_MONOTONIC && shared != NULL) {
        struct pace now = pace();
        int64_t host_ns = (int64_t)time->tv_sec * SECOND + time->tv_nsec;
        int64_t guest_ns = now.guest_ns + (host_ns - now.host_ns) * now.rate;
        *time = (struct timespec){ .tv_sec = guest_ns / SECOND, .tv_nsec = guest_ns % SECOND };
    }
    return result;
}

/* Rounded up: no timer may be early, and none may be switched off by becoming 0. */
static struct timespec sooner(struct timespec time, int64_t rate)
{
    int64_t ns = ((int64_t)time.tv_sec * SECOND + time.tv_nsec + rate - 1) / rate;
    return (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
}

int timer_settime(timer_t timer, int flags, const struct itimerspec *times, struct itimerspec *before)
{
    struct itimerspec scaled = *times;
    if (shared != NULL) {
        scaled.it_value = sooner(times->it_value, pace().rate);
        scaled.it_interval = sooner(times->it_interval, pace().rate);
    }
    /* glibc's handle of such a timer is the kernel's number, but its thread's timers': UML's is of the former kind. */
    return (int)syscall(SYS_timer_settime, timer, flags, &scaled, before);
}
