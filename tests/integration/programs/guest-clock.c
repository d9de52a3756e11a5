/*
 * Lets a User Mode Linux kernel's time pass at the rate that its tests set. The library is preloaded into the kernel,
 * between the kernel and the host's clock and timer, on which its clock source and its ticks are based
 * (arch/um/os-Linux/time.c). So the kernel experiences all of the time, and all its timers fire.
 *
 * The rate is in the file that GUEST_CLOCK names. The tests write it: guest.py.
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

/* At host_ns of the host's clock the guest's time was guest_ns. From then on it passes `rate` times as fast. */
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
 * Never goes back, not even if a signal handler that also asks comes between. UML's clock source would take one
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
 * Rounded up: a timer must not be early, and 0 would switch it off. It must also not fire again before the guest has
 * handled its signal. Otherwise the guest would do nothing else, and could not set the timer again when the rate is
 * back to normal.
 */
static struct timespec sooner(struct timespec time, int64_t rate)
{
    enum { HANDLED_NS = 100000 };
    int64_t ns = ((int64_t)time.tv_sec * SECOND + time.tv_nsec + rate - 1) / rate;
    if (rate > 1 && ns > 0 && ns < HANDLED_NS)
        ns = HANDLED_NS;
    return (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
}

/* In glibc the handle of a timer that raises a signal is the kernel's number. */
int timer_settime(timer_t timer, int flags, const struct itimerspec *times, struct itimerspec *before)
{
    int64_t rate = *wanted_rate;
    const struct itimerspec scaled = { .it_value = sooner(times->it_value, rate),
        .it_interval = sooner(times->it_interval, rate) };
    return (int)syscall(SYS_timer_settime, timer, flags, &scaled, before);
}
