#include "cmd/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/output.h"

/* --- signals ---------------------------------------------------------------------------------------------------- */

/*
 * Blocks the signals; wait_until() fetches them with sigtimedwait(), so no handler is needed. A signal that is ignored
 * (nohup, a background job of a script) stays ignored.
 */
static void block_signals(sigset_t *ret_signals)
{
    static const int wanted[] = { SIGINT, SIGTERM, SIGWINCH };
    sigemptyset(ret_signals);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct sigaction action;
        if (sigaction(wanted[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(ret_signals, wanted[i]);
    }
    sigprocmask(SIG_BLOCK, ret_signals, NULL);
}

enum awaited { TIME_IS_UP, SIZE_CHANGED, INTERRUPTED };

static enum awaited wait_until(uint64_t due_ms, const sigset_t *signals)
{
    for (;;) {
        uint64_t now = clock_monotonic_ms();
        uint64_t left = due_ms > now ? due_ms - now : 0;
        struct timespec timeout = { .tv_sec = (time_t)(left / 1000), .tv_nsec = (long)(left % 1000) * 1000000 };
        int signal = sigtimedwait(signals, NULL, &timeout);
        if (signal == SIGWINCH)
            return SIZE_CHANGED;
        if (signal > 0)
            return INTERRUPTED;
        if (errno == EAGAIN)
            return TIME_IS_UP;
    }
}

/* --- the screen ------------------------------------------------------------------------------------------------- */

struct screen {
    bool is_terminal; /* the cursor can be moved on it */
    size_t rows, columns;
};

static struct screen screen_of(FILE *out)
{
    const char *kind = getenv("TERM");
    struct screen screen = { .rows = 24, .columns = 80 };
    struct winsize size;
    screen.is_terminal = isatty(fileno(out)) && kind != NULL && strcmp(kind, "dumb") != 0;
    if (screen.is_terminal && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
        screen.rows = size.ws_row;
        screen.columns = size.ws_col;
    }
    return screen;
}

/*
 * The number of rows that a line takes. The report does not wrap commands, so the terminal wraps them. Colours take no
 * columns.
 */
static size_t rows_of(const char *line, size_t length, size_t columns)
{
    struct buf shown = { 0 };
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\033') {
            while (i < length && line[i] != 'm')
                i++;
        } else {
            buf_char(&shown, line[i]);
        }
    }
    size_t width = text_width(buf_text(&shown));
    buf_deinit(&shown);
    return width == 0 ? 1 : (width + columns - 1) / columns;
}

/* Overwrites the report that is on the screen line by line, then clears the rest. So the screen does not flicker. */
static void show(const char *text, const struct screen *screen, uint64_t interval_ms, bool utf8, FILE *out)
{
    size_t left = screen->rows > 2 ? screen->rows - 2
                                   : 1; /* the last two rows: an empty one, and the line below the report */
    bool full = false;
    size_t hidden = 0;
    fputs("\033[H", out);
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        size_t rows = rows_of(line, length, screen->columns);
        full = full || rows > left;
        if (!full) {
            fwrite(line, 1, length, out);
            fputs("\033[K\n", out);
            left -= rows;
        } else {
            hidden++;
        }
        line += length + (line[length] == '\n');
    }
    struct buf below = { 0 };
    if (hidden > 0) {
        buf_str(&below, utf8 ? "… " : "... ");
        text_count(&below, hidden);
        buf_str(&below, hidden == 1 ? " more line" : " more lines");
        buf_str(&below, utf8 ? " · " : " - ");
    }
    buf_str(&below, "every ");
    text_duration(&below, interval_ms);
    buf_printf(&below, "%sCtrl-C ends\n", utf8 ? " · " : " - ");
    fputs("\033[K\n", out);
    fprintf(out, "%.*s\033[J", (int)(below.length - 1), buf_text(&below));
    buf_deinit(&below);
}

/* --- the reports ------------------------------------------------------------------------------------------------ */

struct watch {
    const struct inspect_options *inspection;
    struct report_options report;
    uint64_t interval_ms;
    bool is_first; /* no report has been printed, or the screen must be cleared first */
    sigset_t signals;
};

static bool is_on_screen(const struct watch *watch, const struct screen *screen)
{
    return screen->is_terminal && !watch->inspection->json;
}

static int write_over(
    const struct watch *watch, const struct diagnosis *diagnosis, const struct screen *screen, FILE *out)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = xnonnull(open_memstream(&text, &size));
    int result = report_text(diagnosis, &watch->report, memory);
    if (fclose(memory) != 0)
        out_of_memory();
    if (result == 0) {
        fputs(watch->is_first ? "\033[H\033[2J" : "", out);
        show(text, screen, watch->interval_ms, watch->report.style.utf8, out);
    }
    free(text);
    return result;
}

static int write_below(const struct watch *watch, const struct diagnosis *diagnosis, FILE *out)
{
    if (watch->inspection->json)
        return report_json(diagnosis, &watch->report, out);
    if (!watch->is_first) {
        struct buf line = { 0 };
        buf_repeat(&line, watch->report.style.utf8 ? "═" : "=", watch->report.style.width);
        fprintf(out, "\n%s\n\n", buf_text(&line));
        buf_deinit(&line);
    }
    return report_text(diagnosis, &watch->report, out);
}

/*
 * Writes the text so that a reader that has stopped cannot block the program. poll() says that a pipe is ready; then it
 * takes PIPE_BUF bytes without blocking. Returns TIME_IS_UP when all is written, INTERRUPTED, or a negative errno.
 */
static int flush_text(const struct watch *watch, const char *text, size_t size)
{
    enum { PATIENCE_MS = 250 };
    while (size > 0) {
        struct pollfd ready = { .fd = STDOUT_FILENO, .events = POLLOUT };
        if (poll(&ready, 1, PATIENCE_MS) == 0) {
            if (wait_until(0, &watch->signals) == INTERRUPTED)
                return INTERRUPTED;
            continue;
        }
        ssize_t written = write(STDOUT_FILENO, text, size < PIPE_BUF ? size : PIPE_BUF);
        if (written < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        text += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return TIME_IS_UP;
}

static int write_report(struct watch *watch, const struct diagnosis *diagnosis)
{
    struct screen screen = screen_of(stdout);
    watch->report.style = output_style(stdout);
    char *text = NULL;
    size_t size = 0;
    FILE *out = xnonnull(open_memstream(&text, &size));
    int result = is_on_screen(watch, &screen) ? write_over(watch, diagnosis, &screen, out)
                                              : write_below(watch, diagnosis, out);
    if (fclose(out) != 0)
        out_of_memory();
    if (result == 0)
        result = flush_text(watch, text, size);
    free(text);
    watch->is_first = false;
    return result;
}

/* Shows the diagnosis until the next one is due. Returns why it stopped, or a negative errno. */
static int show_until(struct watch *watch, const struct diagnosis *diagnosis, uint64_t due_ms)
{
    int result = write_report(watch, diagnosis);
    while (result == TIME_IS_UP) {
        enum awaited awaited = wait_until(due_ms, &watch->signals);
        if (awaited != SIZE_CHANGED)
            return (int)awaited;
        struct screen screen = screen_of(stdout);
        if (!is_on_screen(watch, &screen))
            continue;
        watch->is_first = true; /* the terminal may have wrapped the lines again: clear the screen */
        result = write_report(watch, diagnosis);
    }
    return result;
}

int cmd_watch(const struct command *command, const struct inspect_options *inspection,
    const struct report_options *report, uint64_t interval_ms)
{
    struct watch watch = { .inspection = inspection, .report = *report, .interval_ms = interval_ms, .is_first = true };
    watch.report.compact = true;
    enum { ROUNDING_MS = 2 };         /* as in read_again() */
    struct inspection inspections[2]; /* the current one and the previous one, in turn */
    unsigned count = 0;
    int status = STATUS_HEALTHY, ended_by = TIME_IS_UP;
    while (ended_by == TIME_IS_UP) {
        struct inspection *now = &inspections[count % 2], *previous = count > 0 ? &inspections[(count + 1) % 2] : NULL;
        status = cmd_inspect(command, inspection, previous, now);
        if (status != STATUS_HEALTHY)
            break;
        if (count == 0) /* before the first verdict, Ctrl-C ends the process */
            block_signals(&watch.signals);
        status = (int)now->diagnosis.verdict;
        watch.report.previous = previous ? &previous->diagnosis : NULL;
        /* Counted from the end of this snapshot: with --confirm the next one must not come too soon after it. */
        ended_by = show_until(&watch, &now->diagnosis, clock_monotonic_ms() + interval_ms + ROUNDING_MS);
        inspection_forget_previous(now);
        if (previous != NULL)
            inspection_deinit(previous);
        count++;
    }
    if (count > 0)
        inspection_deinit(&inspections[(count + 1) % 2]);
    struct screen screen = screen_of(stdout);
    if (is_on_screen(&watch, &screen))
        putchar('\n'); /* the shell's prompt below the report */
    return ended_by < 0 ? cmd_fail_to_write(command, ended_by) : status;
}
