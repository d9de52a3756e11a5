#include "cmd/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cmd/output.h"
#include "cmd/terminal.h"
#include "report/text/change.h"
#include "report/text/screen.h"

enum { KEYS_MAX = 64 };

struct watch {
    const struct inspect_options *inspection;
    struct report_options report;
    uint64_t interval_ms;
    bool is_first; /* no report has been printed, or the screen must be cleared first */
    bool is_on_screen;
    struct screen_view view;
    int signals;         /* a signalfd */
    char keys[KEYS_MAX]; /* bytes from the keyboard that are not yet keys */
    size_t key_bytes;
};

enum awaited { TIME_IS_UP, SIZE_CHANGED, INTERRUPTED, KEY_PRESSED };

/* --- signals and keys ------------------------------------------------------------------------------------------- */

/*
 * Blocks the signals and reads them from a descriptor, so no handler is needed. A signal that is ignored (nohup, a
 * background job of a script) stays ignored.
 */
static void block_signals(struct watch *watch)
{
    static const int always[] = { SIGINT, SIGTERM, SIGWINCH };
    static const int with_keys[] = { SIGHUP, SIGQUIT, SIGTSTP }; /* the terminal must be put back before these act */
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof always / sizeof *always + sizeof with_keys / sizeof *with_keys; i++) {
        size_t other = i - sizeof always / sizeof *always;
        int signal = i < sizeof always / sizeof *always ? always[i] : with_keys[other];
        struct sigaction action;
        bool is_wanted = i < sizeof always / sizeof *always || watch->view.reads_keys;
        if (is_wanted && sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&set, signal);
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    watch->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Stops, as Ctrl-Z asks for, and goes on when the shell says so. */
static void stop(struct watch *watch)
{
    terminal_restore();
    raise(SIGSTOP);
    watch->view.reads_keys = terminal_read_keys();
}

/* Reads a signal. Returns TIME_IS_UP if there is none. */
static enum awaited take_signal(struct watch *watch)
{
    struct signalfd_siginfo info;
    while (read(watch->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGTSTP)
            stop(watch);
        else if (info.ssi_signo != SIGWINCH)
            return INTERRUPTED;
        return SIZE_CHANGED; /* the screen has to be drawn again after both */
    }
    return TIME_IS_UP;
}

static void read_keys(struct watch *watch)
{
    ssize_t count = read(STDIN_FILENO, watch->keys + watch->key_bytes, KEYS_MAX - watch->key_bytes);
    if (count > 0) {
        watch->key_bytes += (size_t)count;
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) { /* the terminal is gone */
        watch->view.reads_keys = false;
        watch->view.is_paused = false;
    }
}

/* Waits for a signal, a key or the time; UINT64_MAX: for ever. */
static enum awaited wait_until(struct watch *watch, uint64_t due_ms)
{
    for (;;) {
        uint64_t now = clock_monotonic_ms(), left = due_ms > now ? due_ms - now : 0;
        struct pollfd ready[] = { { .fd = watch->signals, .events = POLLIN },
            { .fd = watch->view.reads_keys ? STDIN_FILENO : -1, .events = POLLIN } };
        int patience = due_ms == UINT64_MAX ? -1 : left < INT_MAX ? (int)left : INT_MAX;
        int count = poll(ready, sizeof ready / sizeof *ready, patience);
        enum awaited signal = take_signal(watch);
        if (signal != TIME_IS_UP)
            return signal;
        if (count > 0 && ready[1].revents != 0) {
            read_keys(watch);
            return KEY_PRESSED;
        }
        if (clock_monotonic_ms() >= due_ms)
            return TIME_IS_UP;
    }
}

/* --- what keys do ----------------------------------------------------------------------------------------------- */

static void turn_to(struct screen_view *view, enum screen_page page)
{
    view->page = page;
    view->scroll = 0;
}

static void choose(struct screen_view *view, size_t number, size_t count)
{
    view->chosen = number < 1 ? 1 : number > count ? count : number;
    view->scroll = 0;
}

static void move(struct screen_view *view, size_t count, bool down, size_t by)
{
    size_t *at = view->page == SCREEN_FINDINGS ? &view->chosen : &view->scroll;
    *at = down ? *at + by : *at > by ? *at - by : 0;
    if (view->page == SCREEN_FINDINGS)
        choose(view, *at, count);
}

/* Keys that go through the findings or the lines of a card. Returns false if it is none of them. */
static bool move_by_key(struct screen_view *view, size_t count, int key)
{
    size_t page = view->rows > 2 ? view->rows - 2 : 1;
    bool is_list = view->page == SCREEN_FINDINGS;
    if (key == KEY_UP || key == 'k' || key == KEY_DOWN || key == 'j')
        move(view, count, key == KEY_DOWN || key == 'j', 1);
    else if (key == KEY_PAGE_UP || key == KEY_PAGE_DOWN)
        move(view, count, key == KEY_PAGE_DOWN, is_list ? page / 2 : page);
    else if (key == KEY_HOME || key == 'g' || key == KEY_END || key == 'G')
        move(view, count, key == KEY_END || key == 'G', 1U << 20);
    else if (view->page == SCREEN_CARD && (key == 'n' || key == KEY_RIGHT))
        choose(view, view->chosen + 1, count);
    else if (view->page == SCREEN_CARD && key == 'p')
        choose(view, view->chosen - 1, count);
    else
        return false;
    return true;
}

/* Returns false if the key ends the program. */
static bool do_key(struct screen_view *view, size_t count, int key)
{
    enum { DELETE = 127 };
    if (key == 'q' || key == 'Q' || key == 3)
        return false;
    if (move_by_key(view, count, key))
        return true;
    if (key >= '1' && key <= '9' && (size_t)(key - '0') <= count) {
        choose(view, (size_t)(key - '0'), count);
        turn_to(view, SCREEN_CARD);
    } else if (key == '?' || key == 'h') {
        turn_to(view, view->page == SCREEN_KEYS ? SCREEN_FINDINGS : SCREEN_KEYS);
    } else if (key == KEY_ENTER || key == KEY_RIGHT) {
        turn_to(view, view->page == SCREEN_FINDINGS && count > 0 ? SCREEN_CARD : SCREEN_FINDINGS);
    } else if (key == KEY_ESCAPE || key == KEY_LEFT || key == '\b' || key == DELETE) {
        turn_to(view, SCREEN_FINDINGS);
    } else if (key == 'v') {
        view->is_whole = !view->is_whole;
        view->scroll = 0;
    } else if (key == ' ') {
        view->is_paused = !view->is_paused;
    }
    return true;
}

/* Does what the keys say that were read so far. Returns false if one of them ends the program. */
static bool do_keys(struct watch *watch, size_t finding_count)
{
    enum { SEQUENCE_MS = 50 }; /* the time in which the rest of a key's sequence follows */
    bool goes_on = true;
    while (watch->key_bytes > 0 && goes_on) {
        size_t used;
        int key = terminal_parse_key(watch->keys, watch->key_bytes, false, &used);
        if (used == 0) {
            struct pollfd rest = { .fd = STDIN_FILENO, .events = POLLIN };
            if (watch->key_bytes < KEYS_MAX && poll(&rest, 1, SEQUENCE_MS) > 0)
                return true; /* wait_until() reads it */
            key = terminal_parse_key(watch->keys, watch->key_bytes, true, &used);
        }
        watch->key_bytes -= used;
        memmove(watch->keys, watch->keys + used, watch->key_bytes);
        goes_on = do_key(&watch->view, finding_count, key);
    }
    return goes_on;
}

/* --- the reports ------------------------------------------------------------------------------------------------ */

/* Overwrites what is on the screen line by line, then clears the rest. So the screen does not flicker. */
static void write_over(struct watch *watch, const struct diagnosis *diagnosis, FILE *out)
{
    struct buf frame = { 0 };
    struct terminal_size size = terminal_size();
    watch->view.rows = size.rows;
    watch->view.columns = size.columns;
    screen_write(diagnosis, &watch->report, &watch->view, &frame);
    fputs(watch->is_first ? "\033[H\033[2J\033[H" : "\033[H", out);
    for (const char *line = buf_text(&frame);;) {
        size_t length = strcspn(line, "\n");
        fwrite(line, 1, length, out);
        fputs("\033[K", out);
        if (line[length] == '\0')
            break;
        fputs("\n", out);
        line += length + 1;
    }
    fputs("\033[J", out);
    buf_deinit(&frame);
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
    struct report_options report = watch->report;
    if (report.only > diagnosis->finding_count) /* the finding is gone: the report says that */
        report.only = 0;
    return report_text(diagnosis, &report, out);
}

/*
 * Writes the text so that a reader that has stopped cannot block the program. poll() says that a pipe is ready; then it
 * takes PIPE_BUF bytes without blocking. Returns TIME_IS_UP when all is written, INTERRUPTED, or a negative errno.
 */
static int flush_text(struct watch *watch, const char *text, size_t size)
{
    enum { PATIENCE_MS = 250 };
    while (size > 0) {
        struct pollfd ready = { .fd = STDOUT_FILENO, .events = POLLOUT };
        if (poll(&ready, 1, PATIENCE_MS) == 0) {
            if (take_signal(watch) == INTERRUPTED)
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
    watch->report.style = output_style(stdout);
    char *text = NULL;
    size_t size = 0;
    int result = 0;
    FILE *out = xnonnull(open_memstream(&text, &size));
    if (watch->is_on_screen)
        write_over(watch, diagnosis, out);
    else
        result = write_below(watch, diagnosis, out);
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
        enum awaited awaited = wait_until(watch, watch->view.is_paused ? UINT64_MAX : due_ms);
        if (awaited == KEY_PRESSED && !do_keys(watch, diagnosis->finding_count))
            awaited = INTERRUPTED;
        if (awaited == TIME_IS_UP || awaited == INTERRUPTED)
            return (int)awaited;
        if (!watch->is_on_screen)
            continue;
        /* The terminal may have wrapped the lines again: clear the screen. */
        watch->is_first |= awaited == SIZE_CHANGED;
        result = write_report(watch, diagnosis);
    }
    return result;
}

/* The finding that was chosen stays so, even if it has another number now. */
static void keep_chosen(struct watch *watch, const struct diagnosis *now, const struct diagnosis *previous)
{
    struct screen_view *view = &watch->view;
    if (previous == NULL || view->chosen == 0 || view->chosen > previous->finding_count)
        return;
    const struct finding *same = change_find(now, &previous->findings[view->chosen - 1]);
    if (same != NULL)
        view->chosen = (size_t)(same - now->findings) + 1;
    else if (view->page == SCREEN_CARD)
        turn_to(view, SCREEN_FINDINGS); /* which says that it is gone */
}

static void begin(struct watch *watch)
{
    watch->is_on_screen = terminal_is_screen() && !watch->inspection->json;
    watch->view.reads_keys = watch->is_on_screen && terminal_read_keys();
    block_signals(watch);
}

static void end(const struct watch *watch)
{
    terminal_restore();
    if (watch->is_on_screen)
        putchar('\n'); /* the shell's prompt below the report */
    if (watch->signals >= 0)
        close(watch->signals);
}

int cmd_watch(const struct command *command, const struct inspect_options *inspection,
    const struct report_options *report, uint64_t interval_ms)
{
    struct inspect_options again = *inspection;
    again.reads_again = true;
    struct watch watch = { .inspection = inspection,
        .report = *report,
        .interval_ms = interval_ms,
        .is_first = true,
        .signals = -1,
        .view = { .interval_ms = interval_ms,
            .chosen = report->only,
            .page = report->only > 0 ? SCREEN_CARD : SCREEN_FINDINGS,
            .is_whole = report->detail == REPORT_WHOLE } };
    watch.report.compact = true;
    enum { ROUNDING_MS = 2 };         /* as in read_again() */
    struct inspection inspections[2]; /* the current one and the previous one, in turn */
    unsigned count = 0;
    int status = STATUS_HEALTHY, ended_by = TIME_IS_UP;
    while (ended_by == TIME_IS_UP) {
        struct inspection *now = &inspections[count % 2], *previous = count > 0 ? &inspections[(count + 1) % 2] : NULL;
        status = cmd_inspect(command, &again, previous, now);
        if (status != STATUS_HEALTHY)
            break;
        if (count == 0) /* before the first verdict, Ctrl-C ends the process */
            begin(&watch);
        status = (int)now->diagnosis.verdict;
        watch.report.previous = previous ? &previous->diagnosis : NULL;
        keep_chosen(&watch, &now->diagnosis, watch.report.previous);
        /* Counted from the end of this snapshot: with --confirm the next one must not come too soon after it. */
        ended_by = show_until(&watch, &now->diagnosis, clock_monotonic_ms() + interval_ms + ROUNDING_MS);
        inspection_forget_previous(now);
        if (previous != NULL)
            inspection_deinit(previous);
        count++;
    }
    if (count > 0) {
        inspection_deinit(&inspections[(count + 1) % 2]);
        end(&watch);
    }
    return ended_by < 0 ? cmd_fail_to_write(command, ended_by) : status;
}
