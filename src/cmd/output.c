#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

struct output_settings output_settings;

static struct {
    pid_t pid;    /* 0: no pager is running */
    int terminal; /* a copy of stdout as it was before */
    int pipe;     /* to the pager, until it is used */
    bool is_used; /* standard output goes to it */
    struct report_style style;
} pager;

int output_set_colour(struct output_settings *settings, const char *when, struct error *err)
{
    static const char *const names[] = { "auto", "always", "never" };
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(when, names[i]) == 0) {
            settings->colour = i;
            return 0;
        }
    }
    return error_set(err, -EINVAL, when, "is not auto, always or never");
}

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value != NULL && *value != '\0';
}

static bool is_dumb(void)
{
    const char *kind = getenv("TERM");
    return kind == NULL || strcmp(kind, "dumb") == 0;
}

static bool wants_colour(bool terminal)
{
    if (output_settings.colour != COLOUR_AUTO)
        return output_settings.colour == COLOUR_ALWAYS;
    if (is_set("NO_COLOR"))
        return false;
    const char *forced = getenv("CLICOLOR_FORCE");
    return (forced != NULL && *forced != '\0' && strcmp(forced, "0") != 0) || (terminal && !is_dumb());
}

struct report_style output_style(FILE *out)
{
    enum { WIDTH_DEFAULT = 80, WIDTH_MIN = 60, WIDTH_MAX = 1000 };
    if (out == stdout && pager.is_used)
        return pager.style;
    bool terminal = isatty(fileno(out));
    struct report_style style = { .width = WIDTH_DEFAULT };

    struct winsize size;
    if (terminal && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        style.width = size.ws_col;
    uint64_t columns;
    const char *wanted = getenv("COLUMNS");
    if (wanted != NULL && text_parse_number(wanted, WIDTH_MAX, &columns) == 0 && columns > 0)
        style.width = (unsigned)columns;
    if (style.width < WIDTH_MIN)
        style.width = WIDTH_MIN;

    style.colour = wants_colour(terminal);
    style.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return style;
}

bool output_is_terminal(void)
{
    return pager.is_used || isatty(STDOUT_FILENO);
}

/* --- the pager -------------------------------------------------------------------------------------------------- */

/*
 * The command of the pager, or NULL: none is wanted. A program with more rights than its caller ignores the caller's
 * environment (secure_getenv(3)).
 */
static const char *wanted_pager(void)
{
    static const char otherwise[] = "command -v less >/dev/null 2>&1 && exec less; exec cat";
    if (output_settings.is_unpaged || !isatty(STDOUT_FILENO) || is_dumb())
        return NULL;
    const char *wanted = secure_getenv("TCPWHY_PAGER");
    if (wanted == NULL)
        wanted = secure_getenv("PAGER");
    if (wanted == NULL)
        return otherwise;
    return *wanted == '\0' || strcmp(wanted, "cat") == 0 ? NULL : wanted;
}

/* Waits for the first byte. At the end of the pipe without one, there is nothing to show. */
static void await_text(int in)
{
    struct pollfd text = { .fd = in, .events = POLLIN };
    while (poll(&text, 1, -1) < 0 && errno == EINTR)
        ;
    if ((text.revents & POLLIN) == 0)
        _exit(0);
}

static _Noreturn void become_pager(const char *script, const int ends[2])
{
    close(ends[1]);
    await_text(ends[0]);
    dup2(ends[0], STDIN_FILENO);
    /* -F: less ends if everything fits on the screen; -R: it shows colours; -X: the text stays on the terminal. */
    setenv("LESS", "FRX", 0);
    execl("/bin/sh", "sh", "-c", script, (char *)NULL);
    _exit(127);
}

void output_prepare_page(void)
{
    const char *command = wanted_pager();
    int ends[2];
    if (command == NULL || pager.pid != 0 || pipe2(ends, O_CLOEXEC) < 0)
        return;
    struct report_style style = output_style(stdout);
    struct buf script = { 0 };
    /* 127: the shell has not found the program */
    buf_printf(&script, "%s\nif [ $? -eq 127 ]; then exec cat; fi", command);
    fflush(stdout);
    int terminal = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    pid_t pid = terminal < 0 ? -1 : fork();
    if (pid == 0)
        become_pager(buf_text(&script), ends);
    buf_deinit(&script);
    close(ends[0]);
    if (pid > 0) {
        pager.pid = pid;
        pager.terminal = terminal;
        pager.pipe = ends[1];
        pager.style = style;
        return;
    }
    close(ends[1]);
    if (terminal >= 0)
        close(terminal);
}

void output_page(void)
{
    output_prepare_page();
    if (pager.pid == 0 || pager.is_used)
        return;
    fflush(stdout);
    dup2(pager.pipe, STDOUT_FILENO);
    close(pager.pipe);
    signal(SIGINT, SIG_IGN); /* Ctrl-C is for the pager */
    pager.is_used = true;
}

void output_end(void)
{
    if (pager.pid == 0)
        return;
    if (pager.is_used) {
        fflush(stdout);
        dup2(pager.terminal, STDOUT_FILENO); /* closes the pipe, so that the pager sees the end of the text */
    } else {
        close(pager.pipe);
    }
    while (waitpid(pager.pid, NULL, 0) < 0 && errno == EINTR)
        ;
    pager.pid = 0;
    pager.is_used = false;
}
