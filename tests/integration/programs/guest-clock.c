/*
 * Makes time in a User Mode Linux kernel pass as fast as its tests ask: preloaded into it, this stands between the
 * kernel and the host's clock and timer, which are all that its clock source and its ticks are made of
 * (arch/um/os-Linux/time.c). The kernel itself lives through all the time, with every timer that it has set.
 *
 * The rate stands in the file that GUEST_CLOCK names, which the tests write: guest.py.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000000000 };

static const int64_t as_the_host = 1;
static volatile const int64_t *wanted_rate = &as_the_host;

/* From the moment host_ns of the host's clock, which was guest_ns here, time passes `rate` times as fast. */
static struct pace {
    int64_t host_ns, guest_ns, rate;
} pace = { .rate = 1 };
static int64_t latest_ns;

__attribute__((constructor)) static void find_rate(void)
{
    const char *path = getenv("GUEST_CLOCK");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = fd >= 0 ? mmap(NULL, sizeof *wanted_rate, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    if (mapped != MAP_FAILED)
        wanted_rate = mapped;
}

/*
 * Never goes back, not even where a signal handler that asks too comes between: UML's clock source would take one
 * nanosecond back for centuries forward (clocksource_delta() without CLOCKSOURCE_VALIDATE_LAST_CYCLE).
 */
static int64_t guest_time(int64_t host_ns)
{
    int64_t rate = *wanted_rate, guest_ns = pace.guest_ns + (host_ns - pace.host_ns) * pace.rate;
    if (rate != pace.rate)
        pace = (struct pace){ .host_ns = host_ns, .guest_ns = guest_ns, .rate = rate };
    if (guest_ns > latest_ns)
        latest_ns = guest_ns;
    return latest_ns;
}

int clock_gettime(clockid_t id, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, id, time);
    if (result == 0 && id == CLOCK_MONOTONIC) {
        int64_t guest_ns = guest_time((int64_t)time->tv_sec * SECOND + time->tv_nsec);
        *time = (struct timespec){ .tv_sec = guest_ns / SECOND, .tv_nsec = guest_ns % SECOND };
    }
    return result;
}

/*
 * Rounded up: no timer may be early, and none may be switched off by becoming 0. Nor may one ring again before the
 * guest has handled its signal: it would do nothing else any more, not even set the timer anew when it is no longer
 * hurried.
 */
static struct timespec sooner(struct timespec time, int64_t rate)
{
    enum { HANDLED_NS = 100000 };
    int64_t ns = ((int64_t)time.tv_sec * SECOND + time.tv_nsec + rate - 1) / rate;
    if (rate > 1 && ns > 0 && ns < HANDLED_NS)
        ns = HANDLED_NS;
    return (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
}

/* glibc's handle of a timer that raises a signal is the kernel's number. */
int timer_settime(timer_t timer, int flags, const struct itimerspec *times, struct itimerspec *before)
{
    int64_t rate = *wanted_rate;
    const struct itimerspec scaled = { .it_value = sooner(times->it_value, rate),
        .it_interval = sooner(times->it_interval, rate) };
    return (int)syscall(SYS_timer_settime, timer, flags, &scaled, before);
}
