#include "cmd/terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* --- size ------------------------------------------------------------------------------------------------------- */

bool terminal_is_screen(void)
{
    const char *kind = getenv("TERM");
    return isatty(STDOUT_FILENO) && kind != NULL && strcmp(kind, "dumb") != 0;
}

struct terminal_size terminal_size(void)
{
    struct terminal_size result = { .rows = 24, .columns = 80 };
    struct winsize size;
    if (terminal_is_screen() && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        result = (struct terminal_size){ size.ws_row, size.ws_col };
    return result;
}

/* --- settings --------------------------------------------------------------------------------------------------- */

/* Signals that end a program that has an error. */
static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

static struct termios saved;
static volatile sig_atomic_t is_changed;
static bool is_prepared;

void terminal_restore(void)
{
    if (is_changed)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
    is_changed = 0;
}

/* tcsetattr() may be called in a handler: signal-safety(7). The handler is gone by then, so the signal ends us. */
static void restore_and_end(int signal)
{
    if (is_changed)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    raise(signal);
}

static void prepare(void)
{
    if (is_prepared)
        return;
    is_prepared = true;
    atexit(terminal_restore);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        struct sigaction action;
        if (sigaction(crashes[i], NULL, &action) < 0 || action.sa_handler != SIG_DFL)
            continue; /* a sanitizer's */
        action = (struct sigaction){ .sa_handler = restore_and_end, .sa_flags = (int)SA_RESETHAND };
        sigaction(crashes[i], &action, NULL);
    }
}

bool terminal_read_keys(void)
{
    struct termios settings;
    if (is_changed)
        return true;
    /* The terminal stops a job of the background that changes its settings. */
    if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() || tcgetattr(STDIN_FILENO, &saved) < 0)
        return false;
    prepare();
    settings = saved;
    settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    is_changed = 1;
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &settings) == 0)
        return true;
    is_changed = 0;
    return false;
}

/* --- keys ------------------------------------------------------------------------------------------------------- */

static int parse_escape(const char *bytes, size_t length, bool is_last, size_t *ret_used)
{
    static const struct {
        const char *bytes;
        int key;
    } sequences[] = {
        { "\033[A", KEY_UP },
        { "\033OA", KEY_UP },
        { "\033[B", KEY_DOWN },
        { "\033OB", KEY_DOWN },
        { "\033[C", KEY_RIGHT },
        { "\033OC", KEY_RIGHT },
        { "\033[D", KEY_LEFT },
        { "\033OD", KEY_LEFT },
        { "\033[H", KEY_HOME },
        { "\033OH", KEY_HOME },
        { "\033[1~", KEY_HOME },
        { "\033[F", KEY_END },
        { "\033OF", KEY_END },
        { "\033[4~", KEY_END },
        { "\033[5~", KEY_PAGE_UP },
        { "\033[6~", KEY_PAGE_DOWN },
        { "\033OM", KEY_ENTER },
    };
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        size_t size = strlen(sequences[i].bytes);
        if (length >= size && memcmp(bytes, sequences[i].bytes, size) == 0) {
            *ret_used = size;
            return sequences[i].key;
        }
    }
    size_t end = 2; /* ESC [ parameters final (ECMA-48), or ESC and one character */
    if (length > 1 && bytes[1] == '[') {
        while (end < length && bytes[end] < 0x40)
            end++;
    } else if (length > 1 && bytes[1] == 'O') {
        end = 2;
    } else if (length > 1) {
        *ret_used = 1;
        return KEY_ESCAPE;
    }
    if (end < length || is_last) {
        *ret_used = end < length ? end + 1 : length;
        return length == 1 ? KEY_ESCAPE : KEY_NONE;
    }
    *ret_used = 0;
    return KEY_NONE;
}

int terminal_parse_key(const char *bytes, size_t length, bool is_last, size_t *ret_used)
{
    *ret_used = length > 0;
    if (length == 0)
        return KEY_NONE;
    if (*bytes == '\033')
        return parse_escape(bytes, length, is_last, ret_used);
    if (*bytes == '\n' || *bytes == '\r')
        return KEY_ENTER;
    return (unsigned char)*bytes;
}
