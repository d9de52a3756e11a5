#include "cmd/patience.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum { DEFAULT_MS = 2 * 60 * 1000 };

static bool reads_stdin(const struct inspect_options *options)
{
    for (unsigned i = 0; i < options->from_count; i++) {
        if (strcmp(options->from[i], "-") == 0)
            return true;
    }
    return false;
}

static void await_first_byte(void)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    while (poll(&input, 1, -1) < 0 && errno == EINTR)
        ;
}

static void describe(const struct command *command, bool host, uint64_t ms, struct deadline *deadline)
{
    struct buf time = { 0 };
    text_duration(&time, ms);
    snprintf(deadline->words, sizeof deadline->words, "tcpwhy %s: %s within %s (--timeout)", command->name,
        host ? "this host could not be looked at" : "the capture could not be read", buf_text(&time));
    buf_deinit(&time);
}

int cmd_begin_deadline(
    const struct command *command, const struct inspect_options *options, struct deadline *deadline, struct error *err)
{
    *deadline = (struct deadline){ .fd = STDERR_FILENO, .status = STATUS_FAILED };
    uint64_t ms = options->timeout_ms != 0 ? options->timeout_ms : DEFAULT_MS + options->confirm_ms;
    if (options->confirm_ms >= ms)
        return error_set(err, -EINVAL, "--confirm", "looks twice, so long apart: --timeout has to be longer");
    if (reads_stdin(options)) {
        if (isatty(STDIN_FILENO))
            return 0;
        await_first_byte();
    }
    describe(command, options->from_count == 0, ms, deadline);
    int result = deadline_begin(deadline, ms);
    return result < 0 ? error_set(err, result, "--timeout", "cannot be kept: %s", strerror(-result)) : 0;
}
